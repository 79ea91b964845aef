import { readFileSync } from "node:fs";
import { createConfig } from "ponder";

const abi = JSON.parse(readFileSync(process.env.REGISTRY_ABI!, "utf8"));

export default createConfig({
  chains: {
    anvil: { id: 31337, rpc: process.env.REGISTRY_RPC!, disableCache: true },
  },
  contracts: {
    Registry: {
      abi,
      chain: "anvil",
      address: process.env.REGISTRY_ADDRESS as `0x${string}`,
      startBlock: 1,
    },
  },
});
