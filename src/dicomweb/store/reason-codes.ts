/**
 * Why an instance was not stored, or stored with a warning: the one table of reasons with the codes
 * of PS3.18 §I.2.2 and those of the Microsoft server.
 */

interface Reason {
  /** FailureReason (0008,1197) at unversioned URLs. */
  readonly standard: number;
  /** FailureReason under /v1 and /v2. */
  readonly microsoft: number;
  readonly meaning: string;
}

export const failureReasons = {
  'cannot-understand': {
    standard: 0xc000,
    microsoft: 43264,
    meaning: 'The data set could not be read.',
  },
  'validation-failed': {
    standard: 43264,
    microsoft: 43264,
    meaning: 'The data set lacks required attributes, or they have invalid values.',
  },
  'study-mismatch': {
    standard: 43265,
    microsoft: 43264,
    meaning: 'The instance belongs to another study than the one in the path.',
  },
  'already-exists': {
    standard: 45070,
    microsoft: 45070,
    meaning: 'An instance with these UIDs is stored already.',
  },
  'out-of-resources': {
    standard: 0xa700,
    microsoft: 272,
    meaning: 'The study has no room for further modalities, SOP classes or values to search for.',
  },
  'processing-failure': {
    standard: 272,
    microsoft: 272,
    meaning: 'The service could not store the instance; storing it again may succeed.',
  },
} as const satisfies Record<string, Reason>;

export type FailureReason = keyof typeof failureReasons;

/** WarningReason (0008,1196). */
export const warningReasons = {
  /** The Microsoft server says so of every implicit VR data set. */
  'data-set-does-not-match-sop-class': 45063,
  'attributes-failed-validation': 1,
} as const;

export type WarningReason = keyof typeof warningReasons;
