/** The thread that judges large headers. */
import { judgeHeader, type HeaderJob } from '../../dicomweb/store/judge-header.js';
import { serveJobs } from './serve-jobs.js';
import { movable } from './worker-messages.js';

async function judgeToSend(job: HeaderJob) {
  const judged = await judgeHeader(job);
  return judged.kind === 'accepted' ? { ...judged, metadata: movable(judged.metadata) } : judged;
}

serveJobs(judgeToSend, (judged) => (judged.kind === 'accepted' ? [judged.metadata.buffer] : []));
