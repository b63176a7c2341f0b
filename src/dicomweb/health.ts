/** The health check: whether Blob and Table Storage answer. */
import type { RequestContext } from './route.js';

/** One line of the answer (microsoft-compatible shape). */
interface HealthDetail {
  readonly name: string;
  readonly status: 'Healthy' | 'Unhealthy';
  readonly description: string;
}

async function probe(name: string, check: () => Promise<void>): Promise<HealthDetail> {
  try {
    await check();
    return { name, status: 'Healthy', description: `${name} answers.` };
  } catch {
    return { name, status: 'Unhealthy', description: `${name} does not answer.` };
  }
}

/** `GET /health/check`: 200 when both storage services answer, 503 when one is away. */
export async function checkHealth({ services, signal }: RequestContext): Promise<Response> {
  const { tables, blobs } = services.archive;
  const details = await Promise.all([
    probe('Blob Storage', () => blobs.check(signal)),
    probe('Table Storage', () => tables.check(signal)),
  ]);
  const healthy = details.every((detail) => detail.status === 'Healthy');
  return Response.json(
    { overallStatus: healthy ? 'Healthy' : 'Unhealthy', details },
    { status: healthy ? 200 : 503, headers: { 'Cache-Control': 'no-store' } },
  );
}
