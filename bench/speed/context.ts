/** What the rows of the speed table share: the running service, the storage beneath it, and Orthanc. */
import type { Orthanc } from './orthanc.js';
import type { Row } from './row.js';
import type { RunningService } from './service.js';

export interface Context {
  readonly service: RunningService;
  /** The account that the service uses. */
  readonly connectionString: string;
  readonly orthanc: Orthanc | undefined;
  readonly rounds: number;
  /** Whether a row of this number is wanted; all are, unless `--rows` names some. */
  readonly wants: (row: string) => boolean;
  readonly progress: (what: string) => void;
}

/** One part of the table: `npm run bench -- --only <name>`. */
export interface Part {
  readonly name: string;
  /** Of which the median is taken, where `--rounds` says nothing; one more warms up. */
  readonly rounds: number;
  /** Whether Orthanc is started for it. */
  readonly besideOrthanc?: true;
  readonly measure: (context: Context) => Promise<readonly Row[]>;
}
