/** What is wrong with the server and not with a report: the report stays with its agent, and is never acknowledged as a dead letter. */
import { expect, test } from "vitest";
import { exampleFold } from "../../ports/suites/examples.ts";
import { connect } from "./database.ts";
import { DatabaseAway } from "./errors.ts";
import { createPostgresEvidenceStore } from "./evidence-store.ts";
import { createListener } from "./listener.ts";
import { testDatabase } from "./testing.ts";

test.each([
  ["a table that isn't there, as after half a restore", "alter table regent.agent rename to agent_away", "42P01"],
  ["a column that isn't there, as beside another version", "alter table regent.agent rename column build to built", "42703"],
  [
    "a damaged page",
    `create function regent.damaged() returns trigger language plpgsql as $$ begin raise exception 'damaged' using errcode = 'XX001'; end $$;
     create trigger damaged before insert or update on regent.agent for each statement execute function regent.damaged()`,
    "XX001",
  ],
])("%s", async (_, breakIt, code) => {
  const place = await testDatabase();
  const database = connect(place.url, { connections: 1 });
  const listener = createListener(database);
  const evidence = createPostgresEvidenceStore({ database, listener });
  try {
    await database.attempt(({ sql }) => sql.unsafe(breakIt));
    const refused = await evidence.ingest("eu-a1", [], () => exampleFold(1)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(DatabaseAway);
    expect(refused).toMatchObject({ code });
  } finally {
    await listener.close();
    await database.close();
    await place.drop();
  }
});
