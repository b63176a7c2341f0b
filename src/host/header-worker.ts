/** The thread that judges large headers. */
import { judgeHeader } from '../dicomweb/store/judge-header.js';
import { serveJobs } from './serve-jobs.js';
import { movable } from './worker-messages.js';

serveJobs(judgeHeader, (judged) => (judged.kind === 'accepted' ? [movable(judged.metadata)] : []));
