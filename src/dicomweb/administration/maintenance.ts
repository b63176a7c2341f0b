/** What recovery, the sweep and the check of the store found last. */
import { jsonReply } from '../../http/reply.js';
import { findingKinds } from '../../storage/archive/store-check/finding.js';
import {
  maintenanceJobs,
  type MaintenanceFinding,
  type MaintenanceReport,
} from '../../storage/maintenance-reports.js';
import { jsonOffers } from '../negotiation.js';
import { answering } from '../route.js';

/** What recovery finds; the kinds of the others are those of the check of the store. */
const kinds: Readonly<Record<MaintenanceFinding['kind'], { readonly description: string }>> = {
  ...findingKinds,
  'change-finished': { description: 'a change whose writer died behind its commit' },
  'change-undone': { description: 'a change whose writer died before its commit' },
};

function shown({ time, findings }: MaintenanceReport): object {
  return {
    time: time.toISOString(),
    findings: findings.map((finding) => ({
      ...finding,
      description: kinds[finding.kind].description,
    })),
  };
}

/**
 * `GET maintenance`: of each job its last run, and its last run that found something. One call.
 *
 * @throws ServiceError `storage-unavailable`.
 */
export const readMaintenance = answering({ answers: jsonOffers }, async ({ services }) => {
  const reports = await services.maintenance.read();
  const answer = maintenanceJobs.map((job) => {
    const { last, lastFound } = reports.get(job) ?? {};
    return {
      job,
      ...(last && { last: shown(last) }),
      ...(lastFound && { lastFound: shown(lastFound) }),
    };
  });
  return jsonReply(answer, { headers: { 'Cache-Control': 'no-store' } });
});
