/** Pairs of file and target that fail for a reason that is known, with where the reason is at home. */

export interface Explanation {
  /** Files, with `*` for any run of characters. */
  readonly files: string;
  /** Target transfer syntaxes; all when left out. */
  readonly targets?: readonly string[];
  readonly why: string;
  /** Where whoever is responsible says so. */
  readonly link: string;
}

export const explanations: readonly Explanation[] = [
  {
    files: 'pydicom/JPEG2000-embedded-sequence-delimiter.dcm',
    why: 'has bytes in place of its codestream’s size, on purpose: no decoder reads it',
    link: 'https://github.com/pydicom/pydicom/pull/1141',
  },
];

/** The explanation that covers a failure, if any. */
export function explain(file: string, target: string): Explanation | undefined {
  return explanations.find(
    ({ files, targets }) =>
      matches(file, files) && (targets === undefined || targets.includes(target)),
  );
}

function matches(text: string, glob: string): boolean {
  const escaped = glob.replace(/[.+^${}()|[\]\\?]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*')}$`).test(text);
}
