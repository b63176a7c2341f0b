/**
 * The health check: whether Blob and Table Storage answer. Anyone may ask, so what was found is told again for
 * a few seconds: nobody can have storage called, and paid for, as fast as requests come.
 */
import { answering } from './route.js';
import type { Services } from './services.js';
import { jsonReply } from '../http/reply.js';
import { jsonOffers } from './negotiation.js';

/** Milliseconds for which a finding holds. */
export const healthHolds = 5_000;

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

type Archive = Services['archive'];

/** What was found last, or is being found, of an archive. */
const known = new WeakMap<Archive, { readonly at: number; readonly details: Promise<Details> }>();

type Details = readonly HealthDetail[];

function detailsOf(archive: Archive): Promise<Details> {
  const now = Date.now();
  const before = known.get(archive);
  if (before !== undefined && now - before.at < healthHolds) return before.details;
  const { tables, blobs } = archive;
  // Of no request: the one that asks first may go while others wait.
  const { signal } = new AbortController();
  const details = Promise.all([
    probe('Blob Storage', () => blobs.check(signal)),
    probe('Table Storage', () => tables.check(signal)),
  ]);
  known.set(archive, { at: now, details });
  return details;
}

/** `GET /health/check`: 200 when both storage services answer, 503 when one is away. */
export const checkHealth = answering({ answers: jsonOffers }, async ({ services }) => {
  const details = await detailsOf(services.archive);
  const healthy = details.every((detail) => detail.status === 'Healthy');
  return jsonReply(
    { overallStatus: healthy ? 'Healthy' : 'Unhealthy', details },
    { status: healthy ? 200 : 503, headers: { 'Cache-Control': 'no-store' } },
  );
});
