/** Which instance stands for a series or a study when one picture is to show it. */
import type { SeriesInstanceUID } from '../../../dicom/uid.js';
import type { InstanceRecord, SeriesRecord } from '../../../storage/archive/records.js';
import { storedSyntax } from '../stored-syntax.js';

const storage = '1.2.840.10008.5.1.4.1.1.';

/** How well instances show what they belong to: 2 images, 1 results of analysis, 0 not at all. */
type PictureRank = 0 | 1 | 2;

/** Storage SOP classes by how their UIDs go on (PS3.4 §B.5); the longest match counts. */
const ranks: ReadonlyMap<string, PictureRank> = new Map([
  // spectroscopy, waveforms, presentation states, raw data and registrations, mappings, surfaces
  ['4.2', 0],
  ['9', 0],
  ['11', 0],
  ['66', 0],
  ['67', 0],
  ['68', 0],
  // segmentations, parametric maps
  ['66.4', 1],
  ['66.7', 1],
  ['30', 1],
  // refraction and visual field measurements, reports, documents, displays, protocols
  ['78', 0],
  ['79', 0],
  ['80', 0],
  ['88', 0],
  ['104', 0],
  ['131', 0],
  ['200', 0],
  // radiotherapy, of which images and doses have pixels
  ['481', 0],
  ['481.1', 2],
  ['481.2', 1],
]);

/** The rank of a SOP class; one that is not known is taken for an image. */
export function pictureRank(sopClass: string): PictureRank {
  if (!sopClass.startsWith(storage)) return 2;
  const components = sopClass.slice(storage.length).split('.');
  const prefixes = components.map((_, at) => components.slice(0, components.length - at).join('.'));
  const known = prefixes.find((prefix) => ranks.has(prefix));
  return known === undefined ? 2 : (ranks.get(known) ?? 2);
}

/** The series with the most instances of the best rank; of equals the first by its UID. */
export function representativeSeries(
  series: Iterable<SeriesRecord>,
): SeriesInstanceUID | undefined {
  let best: { uid: SeriesInstanceUID; rank: number; count: number } | undefined;
  for (const { series: uid, sopClasses } of series) {
    const classes = Object.entries(sopClasses);
    const rank = Math.max(...classes.map(([sopClass]) => pictureRank(sopClass)), 0);
    const count = classes
      .filter(([sopClass]) => pictureRank(sopClass) === rank)
      .reduce((sum, [, instances]) => sum + instances, 0);
    const better =
      best === undefined ||
      rank > best.rank ||
      (rank === best.rank && (count > best.count || (count === best.count && uid < best.uid)));
    if (better) best = { uid, rank, count };
  }
  return best?.uid;
}

/**
 * The instances to try, one after the other: of those of the best rank, in order of their UIDs, the
 * middle one, and should it be damaged the first and the last. Videos only where there is nothing else.
 */
export function representativeInstances(
  records: readonly InstanceRecord[],
): readonly InstanceRecord[] {
  const ranked = records.map((record) => {
    const isVideo = storedSyntax(record).frameMediaType.startsWith('video/');
    return { record, rank: pictureRank(record.sopClass) - (isVideo ? 0.5 : 0) };
  });
  const highest = Math.max(...ranked.map(({ rank }) => rank));
  const best = ranked.filter(({ rank }) => rank === highest).map(({ record }) => record);
  const tried = [best[Math.floor((best.length - 1) / 2)], best[0], best.at(-1)];
  return [...new Set(tried)].filter((record) => record !== undefined);
}
