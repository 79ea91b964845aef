import { Hono } from "hono";
import { count } from "ponder";
import { db } from "ponder:api";
import { entry } from "ponder:schema";

const app = new Hono();

app.get("/count", async (c) => {
  const [found] = await db.select({ rows: count() }).from(entry);
  return c.json({ rows: Number(found!.rows) });
});

export default app;
