/**
 * Native Route 53 health checks on the regions' published addresses, made in the sandbox through the AWS SDK as an operator would make them. With
 * them attached the answers leave a dead primary even when all of Regent is stopped.
 */
import { CreateHealthCheckCommand, Route53Client } from "@aws-sdk/client-route-53";
import { REGIONS } from "./layout.ts";

export interface Route53Access {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Health check id by region. The caller reference makes a repeated call find the check that is there. */
export const ensureNativeChecks = async ({ endpoint, ...credentials }: Route53Access): Promise<Record<string, string>> => {
  const client = new Route53Client({ endpoint, region: "us-east-1", credentials });
  try {
    const made = await Promise.all(
      REGIONS.map(async ({ id, publishedAddress }) => {
        const { HealthCheck } = await client.send(
          new CreateHealthCheckCommand({
            CallerReference: `regent-up-${id}`,
            HealthCheckConfig: {
              Type: "HTTP",
              IPAddress: publishedAddress,
              Port: 80,
              ResourcePath: "/healthz",
              RequestInterval: 10,
              FailureThreshold: 3,
            },
          }),
        );
        if (HealthCheck?.Id === undefined) throw new Error(`Route 53 made no health check for ${id}`);
        return [id, HealthCheck.Id] as const;
      }),
    );
    return Object.fromEntries(made);
  } finally {
    client.destroy();
  }
};
