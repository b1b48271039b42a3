/** Health checks: their life, their versions, and what a record set needs of them. */
import assert from "node:assert/strict";
import {
  CreateHealthCheckCommand,
  DeleteHealthCheckCommand,
  GetHealthCheckCommand,
  GetHealthCheckStatusCommand,
  type HealthCheck,
  type HealthCheckConfig,
  ListHealthChecksCommand,
  UpdateHealthCheckCommand,
} from "@aws-sdk/client-route-53";
import { a, assertRefused, create, type Expectation, expectation, listed, type Place, remove, send } from "./subject.ts";

const tcp: HealthCheckConfig = { Type: "TCP", IPAddress: "192.0.2.1", Port: 443, RequestInterval: 30, FailureThreshold: 3 };
const reference = (): string => `conformance-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

/** A health check for as long as the body runs. */
const withCheck = async (
  place: Place,
  config: HealthCheckConfig,
  body: (check: HealthCheck & { Id: string }) => Promise<void>,
): Promise<void> => {
  const { HealthCheck } = await place.client.send(
    new CreateHealthCheckCommand({ CallerReference: reference(), HealthCheckConfig: config }),
  );
  assert.ok(HealthCheck?.Id);
  try {
    await body(HealthCheck as HealthCheck & { Id: string });
  } finally {
    await place.client.send(new DeleteHealthCheckCommand({ HealthCheckId: HealthCheck.Id }));
  }
};

export const healthCheckExpectations: readonly Expectation[] = [
  expectation("a health check is made with version 1, read back, listed, updated to version 2, and deleted", async (place) => {
    const { client } = place;
    let id = "";
    await withCheck(place, tcp, async (check) => {
      id = check.Id;
      assert.equal(check.HealthCheckVersion, 1);
      assert.equal(check.HealthCheckConfig?.Inverted, false);
      const { HealthChecks = [] } = await client.send(new ListHealthChecksCommand({}));
      assert.ok(HealthChecks.some((other) => other.Id === id));
      const { HealthCheck: next } = await client.send(
        new UpdateHealthCheckCommand({ HealthCheckId: id, Inverted: true, HealthCheckVersion: 1 }),
      );
      assert.equal(next?.HealthCheckVersion, 2);
      assert.equal(next?.HealthCheckConfig?.Inverted, true);
      assert.equal(next?.HealthCheckConfig?.IPAddress, "192.0.2.1");
    });
    await assertRefused(client.send(new GetHealthCheckCommand({ HealthCheckId: id })), "NoSuchHealthCheck", /./);
  }),
  expectation(
    "the same reference and settings give the same check, other settings HealthCheckAlreadyExists",
    async ({ client }) => {
      const CallerReference = reference();
      const first = await client.send(new CreateHealthCheckCommand({ CallerReference, HealthCheckConfig: tcp }));
      try {
        const second = await client.send(new CreateHealthCheckCommand({ CallerReference, HealthCheckConfig: tcp }));
        assert.equal(second.HealthCheck?.Id, first.HealthCheck?.Id);
        await assertRefused(
          client.send(new CreateHealthCheckCommand({ CallerReference, HealthCheckConfig: { ...tcp, Port: 444 } })),
          "HealthCheckAlreadyExists",
          /./,
        );
      } finally {
        await client.send(new DeleteHealthCheckCommand({ HealthCheckId: first.HealthCheck?.Id }));
      }
    },
  ),
  expectation("an update for another version is HealthCheckVersionMismatch", async (place) => {
    await withCheck(place, tcp, async ({ Id }) => {
      await assertRefused(
        place.client.send(new UpdateHealthCheckCommand({ HealthCheckId: Id, Disabled: true, HealthCheckVersion: 7 })),
        "HealthCheckVersionMismatch",
        /./,
      );
    });
  }),
  expectation("an interval of 20 s is InvalidInput", async ({ client }) => {
    await assertRefused(
      client.send(
        new CreateHealthCheckCommand({ CallerReference: reference(), HealthCheckConfig: { ...tcp, RequestInterval: 20 } }),
      ),
      "InvalidInput",
      /./,
    );
  }),
  expectation("a record set with a health check that isn't there is refused", async (place) => {
    const set = {
      ...a(place.name, "192.0.2.1"),
      SetIdentifier: "eu",
      Weight: 1,
      HealthCheckId: "00000000-0000-4000-8000-000000000000",
    };
    const call = send(place, create(set));
    await assert.rejects(call, (error: Error) =>
      ["NoSuchHealthCheck", "InvalidInput", "InvalidChangeBatch"].includes(error.name),
    );
    assert.deepEqual(await listed(place), []);
  }),
  expectation("DELETE of a record set must repeat its health check, even after the check is gone", async (place) => {
    const plain = { ...a(place.name, "192.0.2.1"), SetIdentifier: "eu", Weight: 1 };
    let checked = { ...plain, HealthCheckId: "" };
    await withCheck(place, tcp, async ({ Id }) => {
      checked = { ...plain, HealthCheckId: Id };
      await send(place, create(checked));
      await assertRefused(send(place, remove(plain)), "InvalidChangeBatch", /do not match the current values/);
    });
    await send(place, remove(checked));
    assert.deepEqual(await listed(place), []);
  }),
  expectation("a calculated check keeps its children from being deleted", async (place) => {
    await withCheck(place, tcp, async ({ Id }) => {
      await withCheck(place, { Type: "CALCULATED", HealthThreshold: 1, ChildHealthChecks: [Id] }, async (parent) => {
        assert.deepEqual(parent.HealthCheckConfig?.ChildHealthChecks, [Id]);
        await assertRefused(place.client.send(new DeleteHealthCheckCommand({ HealthCheckId: Id })), "HealthCheckInUse", /./);
      });
    });
  }),
  expectation("the status of a check is a list of observations; of one that isn't there, NoSuchHealthCheck", async (place) => {
    await withCheck(place, tcp, async ({ Id }) => {
      const { HealthCheckObservations } = await place.client.send(new GetHealthCheckStatusCommand({ HealthCheckId: Id }));
      assert.ok(Array.isArray(HealthCheckObservations));
    });
    await assertRefused(
      place.client.send(new GetHealthCheckStatusCommand({ HealthCheckId: "00000000-0000-4000-8000-000000000000" })),
      "NoSuchHealthCheck",
      /./,
    );
  }),
];
