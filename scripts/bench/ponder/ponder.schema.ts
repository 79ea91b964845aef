import { onchainTable } from "ponder";

export const entry = onchainTable("entry", (t) => ({
  index: t.bigint().primaryKey(),
  previous: t.bigint().notNull(),
  authority: t.hex().notNull(),
  number: t.hex().notNull(),
  sequence: t.bigint().notNull(),
  action: t.integer().notNull(),
  effectiveOn: t.integer().notNull(),
  document: t.hex().notNull(),
  manifest: t.hex().notNull(),
  registrar: t.hex().notNull(),
  recordedAt: t.bigint().notNull(),
  block: t.bigint().notNull(),
  transaction: t.hex().notNull(),
}));
