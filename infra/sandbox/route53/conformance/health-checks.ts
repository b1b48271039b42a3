/** Health checks, as far as record sets carry them: Regent attaches and reads them, and never makes one. */
import assert from "node:assert/strict";
import {
  CreateHealthCheckCommand,
  DeleteHealthCheckCommand,
  GetHealthCheckCommand,
  GetHealthCheckStatusCommand,
} from "@aws-sdk/client-route-53";
import { apiReference, deleteMustMatch } from "./sources.ts";
import {
  assertRefused,
  create,
  type ExpectationGroup,
  expectation,
  listed,
  type Place,
  remove,
  send,
  weighted,
} from "./subject.ts";

const NOBODY = "00000000-0000-4000-8000-000000000000";
const compared = deleteMustMatch(
  "that the health check is compared was seen in hashicorp/terraform-provider-aws#13012 and airbnb/zonify#23",
);

const withCheck = (place: Place) => {
  assert.ok(place.healthCheckId);
  return { ...weighted(place.name, "eu", 1), HealthCheckId: place.healthCheckId };
};

export const healthCheckExpectations: ExpectationGroup = {
  title: "Health checks of record sets",
  expectations: [
    expectation(
      {
        title: "a member is listed with the health check that it was given",
        why: "a member is written back with its check, whoever attached it",
        source: apiReference("ResourceRecordSet", {
          section: "HealthCheckId",
          says: "the element ties a record set to a health check",
          beyond: "that it is listed follows from its being part of the type that is listed",
        }),
        needsHealthCheck: true,
      },
      async (place) => {
        await send(place, create(withCheck(place)));
        assert.equal((await listed(place))[0]?.HealthCheckId, place.healthCheckId);
      },
    ),
    expectation(
      {
        title: "DELETE must repeat the health check",
        why: "a check that somebody took away or attached is drift, and stops a stale batch",
        source: compared,
        needsHealthCheck: true,
      },
      async (place) => {
        const { HealthCheckId: _, ...plain } = withCheck(place);
        await send(place, create(withCheck(place)));
        for (const wrong of [plain, { ...plain, HealthCheckId: NOBODY }])
          await assertRefused(send(place, remove(wrong)), "InvalidChangeBatch", /do not match the current values/);
        await send(place, remove(withCheck(place)));
        assert.deepEqual(await listed(place), []);
      },
    ),
    expectation(
      {
        title: "a health check is attached and taken off by DELETE and CREATE in one batch",
        why: "a changed declaration is written so",
        source: compared,
        needsHealthCheck: true,
      },
      async (place) => {
        const { HealthCheckId: _, ...plain } = withCheck(place);
        await send(place, create(plain));
        await send(place, remove(plain), create(withCheck(place)));
        await send(place, remove(withCheck(place)), create(plain));
        assert.equal((await listed(place))[0]?.HealthCheckId, undefined);
      },
    ),
    expectation(
      {
        title: "DELETE must repeat the health check even after it is gone",
        why: "Regent echoes what it read, and must be able to leave such a record",
        source: apiReference("DeleteHealthCheck", {
          section: "Description, Important",
          says: "a health check can be deleted while record sets are associated with it",
          beyond: "that those keep its id was seen in presslabs/zinc#236; that a DELETE must name it is assumed",
        }),
        sandboxOnly: "it makes and deletes a health check, and a live run makes nothing but names",
      },
      async (place) => {
        const CallerReference = place.name;
        const { HealthCheck } = await place.client.send(
          new CreateHealthCheckCommand({
            CallerReference,
            HealthCheckConfig: { Type: "TCP", IPAddress: "192.0.2.1", Port: 443, RequestInterval: 30, FailureThreshold: 3 },
          }),
        );
        const checked = { ...weighted(place.name, "eu", 1), HealthCheckId: HealthCheck?.Id };
        await send(place, create(checked));
        await place.client.send(new DeleteHealthCheckCommand({ HealthCheckId: HealthCheck?.Id }));
        await assertRefused(send(place, remove(weighted(place.name, "eu", 1))), "InvalidChangeBatch", /do not match/);
        await send(place, remove(checked));
        assert.deepEqual(await listed(place), []);
      },
    ),
    expectation(
      {
        title: "a record set with a health check that isn't there is refused",
        why: "a mistyped id is noticed before a record depends on it",
        source: apiReference("ChangeResourceRecordSets", {
          section: "Errors, NoSuchHealthCheck",
          says: "no health check exists with the specified id",
          beyond: "that an unknown id gives this code and no other is not told, so InvalidInput and InvalidChangeBatch pass too",
        }),
      },
      async (place) => {
        const call = send(place, create({ ...weighted(place.name, "eu", 1), HealthCheckId: NOBODY }));
        await assert.rejects(call, (error: Error) =>
          ["NoSuchHealthCheck", "InvalidInput", "InvalidChangeBatch"].includes(error.name),
        );
        assert.deepEqual(await listed(place), []);
      },
    ),
    expectation(
      {
        title: "the state of a health check is a list of observations",
        why: "Regent shows what Route 53 believes beside what it believes itself",
        source: apiReference("GetHealthCheckStatus", {
          section: "Response Elements",
          says: "one HealthCheckObservation for each Route 53 health checker that reports",
        }),
        needsHealthCheck: true,
      },
      async (place) => {
        const answer = await place.client.send(new GetHealthCheckStatusCommand({ HealthCheckId: place.healthCheckId }));
        assert.ok(Array.isArray(answer.HealthCheckObservations));
      },
    ),
    expectation(
      {
        title: "a health check that isn't there is NoSuchHealthCheck",
        why: "an unknown check is shown as unknown, never as down",
        source: apiReference("GetHealthCheckStatus", {
          section: "Errors, NoSuchHealthCheck",
          says: "the error for an id that doesn't exist, with HTTP status 404",
        }),
      },
      async ({ client }) => {
        await assertRefused(client.send(new GetHealthCheckStatusCommand({ HealthCheckId: NOBODY })), "NoSuchHealthCheck", /./);
        await assertRefused(client.send(new GetHealthCheckCommand({ HealthCheckId: NOBODY })), "NoSuchHealthCheck", /./);
      },
    ),
  ],
};
