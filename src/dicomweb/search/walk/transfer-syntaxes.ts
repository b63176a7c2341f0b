/**
 * AvailableTransferSyntaxUID of studies and series: no row above the instances keeps it, so the rows of the
 * instances are asked, a thousand with one call.
 */
import type { Element } from '../../../dicom/data-set.js';
import { readAhead } from '../../read-ahead.js';
import type { Predicate } from '../match/demand.js';
import type { PlacedStep } from './find-series.js';
import type { Match } from './match.js';
import type { SearchContext } from './walk.js';

/** The transfer syntaxes of the instances of a study or series, in order. */
export async function transferSyntaxesOf(
  { services, partition }: Pick<SearchContext, 'services' | 'partition'>,
  match: Match,
  onPage: () => void = () => undefined,
): Promise<Element> {
  const syntaxes = new Set<string>();
  const series = 'series' in match ? match.series.series : undefined;
  const { catalog } = services.archive;
  const pages = catalog.instances(partition, match.study.study, series, ['transferSyntax'], {
    onPage,
  });
  for await (const rows of pages)
    for (const { record } of rows) syntaxes.add(record.transferSyntax);
  return { vr: 'UI', Value: [...syntaxes].sort() };
}

/** Results whose instances are asked at the same time. */
const atOnce = 16;

/**
 * Takes out of the results what does not meet the keys that only instances tell.
 *
 * @param predicates - of those keys (`SearchKey.inInstances`).
 */
export function metByInstances(
  context: SearchContext,
  predicates: readonly Predicate[],
  steps: AsyncGenerator<PlacedStep<Match>, void, undefined>,
): AsyncGenerator<PlacedStep<Match>, void, undefined> {
  if (predicates.length === 0) return steps;
  const { effort } = context;
  const judge = async ({ match, ...step }: PlacedStep<Match>): Promise<PlacedStep<Match>> => {
    if (match === undefined) return step;
    effort.onEntry();
    const syntaxes = await transferSyntaxesOf(context, match);
    return predicates.every(({ matches }) => matches(() => syntaxes)) ? { ...step, match } : step;
  };
  return readAhead(steps, atOnce, judge, () => undefined);
}
