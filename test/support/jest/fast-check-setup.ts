/** Property tests try the same cases every time; `FAST_CHECK_SEED` tries others. */
import { configureGlobal } from 'fast-check';

const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20_261_120);
configureGlobal({ seed });
