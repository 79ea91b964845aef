import { ponder } from "ponder:registry";
import { entry } from "ponder:schema";

ponder.on("Registry:Recorded", async ({ event, context }) => {
  const said = event.args;
  await context.db.insert(entry).values({
    index: BigInt(said.index),
    previous: BigInt(said.previous),
    authority: said.authority,
    number: said.number,
    sequence: BigInt(said.sequence),
    action: Number(said.action),
    effectiveOn: Number(said.effectiveOn),
    document: said.document,
    manifest: said.manifest,
    registrar: said.registrar,
    recordedAt: BigInt(said.recordedAt),
    block: event.block.number,
    transaction: event.transaction.hash,
  });
});
