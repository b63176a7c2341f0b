/**
 * What searches of an archive of a million studies cost: calls, rounds and rows per request, counted in
 * an ordered stand-in for Table Storage with its limits (docs/performance.md).
 */
import { parseArgs } from 'node:util';
import {
  ArchiveUnderTest,
  type SearchRouteName,
} from '../test/dicomweb/search/model/archive-under-test.js';
import { FilledTables } from '../test/support/storage/filled-archive.js';
import { dateOf, familyOf, uidsOf } from '../test/support/storage/numbered-studies.js';

interface Query {
  readonly name: string;
  readonly route: SearchRouteName;
  /** Parameters of the path and the query string, about a study. */
  readonly of: (study: number) => readonly [Readonly<Record<string, string>>, string];
  /** Pages to read by the link; 1 when left out. */
  readonly pages?: number;
  /** Fewer than of the others, where one takes long. */
  readonly requests?: number;
}

const ohifFields = 'includefield=00081030%2C00080060%2C00080090%2C00100030';
const ohif = `limit=101&offset=0&fuzzymatching=false&${ohifFields}`;
const weasisFields =
  'includefield=00080020,00080030,00080050,00080061,00080090,00081030,00100010,00100020,00100021,00100030,00100040,0020000D,00200010';
const studies = 'searchForStudies';

const queries: readonly Query[] = [
  { name: 'OHIF: study list', route: studies, of: () => [{}, ohif] },
  {
    name: 'OHIF: list, PatientID',
    route: studies,
    of: (n) => [{}, `${ohif}&00100020=P${Math.floor(n / 2)}`],
  },
  {
    name: 'OHIF: list, a range of StudyDate',
    route: studies,
    of: (n) => [{}, `${ohif}&StudyDate=${dateOf(n)}-${dateOf(n + 700)}`],
  },
  {
    name: 'OHIF: list, ModalitiesInStudy=CT,MR',
    route: studies,
    of: () => [{}, `${ohif}&ModalitiesInStudy=CT%2CMR`],
  },
  {
    name: 'OHIF: list, `*name*` and a week',
    route: studies,
    of: (n) => [
      {},
      `${ohif}&PatientName=*${familyOf(n)}*&StudyDate=${dateOf(n)}-${dateOf(n + 600)}`,
    ],
  },
  {
    name: 'OHIF: series of a study',
    route: 'searchForStudySeries',
    of: (n) => [
      { study: uidsOf(n).study },
      'includefield=00080021%2C00080031%2C0008103E%2C00200011',
    ],
  },
  {
    name: 'Weasis: by PatientID',
    route: studies,
    of: (n) => [{}, `00100020=P${Math.floor(n / 2)}&${weasisFields}`],
  },
  {
    name: 'Weasis: by AccessionNumber',
    route: studies,
    of: (n) => [{}, `00080050=A${n}&${weasisFields}`],
  },
  {
    name: 'MONAI: a series by its UID',
    route: 'searchForSeries',
    of: (n) => [{}, `SeriesInstanceUID=${uidsOf(n).series}`],
  },
  {
    name: 'MONAI: series by Modality',
    route: 'searchForSeries',
    of: () => [{}, 'Modality=MR'],
  },
  {
    name: 'dicomweb-client: `PatientName=Ab*`, to the end',
    route: studies,
    of: (n) => [{}, `PatientName=${familyOf(n)}*&limit=100`],
    pages: Infinity,
  },
  {
    name: 'OHIF: list, `*name*`',
    route: studies,
    of: (n) => [{}, `${ohif}&PatientName=*${familyOf(n)}*`],
  },
  {
    name: 'OHIF: list, `*ame*`, a part of a name',
    route: studies,
    of: (n) => [{}, `${ohif}&PatientName=*${familyOf(n).slice(1)}*`],
  },
  {
    name: 'sorted by name, 50 pages by the link',
    route: studies,
    of: () => [{}, 'orderby=PatientName&limit=25'],
    pages: 50,
    requests: 50,
  },
  {
    name: 'sorted by name from the last on, 50 pages',
    route: studies,
    of: () => [{}, 'orderby=-PatientName&limit=25'],
    pages: 50,
    requests: 50,
  },
  {
    name: 'the latest first, by date and time, 50 pages',
    route: studies,
    of: () => [{}, 'orderby=-StudyDate,-StudyTime&limit=25'],
    pages: 50,
    requests: 50,
  },
  {
    name: 'a day with its total',
    route: studies,
    of: (n) => [{}, `StudyDate=${dateOf(n)}&limit=25&includetotal=true`],
  },
  {
    name: 'a modality with its total, of 125 000',
    route: studies,
    of: () => [{}, 'ModalitiesInStudy=CT&limit=25&includetotal=true'],
    requests: 5,
  },
  {
    name: 'a name with its total',
    route: studies,
    of: (n) => [{}, `PatientName=*${familyOf(n)}*&limit=25&includetotal=true`],
  },
  {
    name: 'no index: two letters, page by page',
    route: studies,
    of: (n) => [{}, `PatientName=*${familyOf(n).slice(-2)}&limit=100`],
    pages: 5,
    requests: 5,
  },
];

function p95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.ceil(sorted.length * 0.95), sorted.length) - 1] ?? 0;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      studies: { type: 'string', default: '1000000' },
      requests: { type: 'string', default: '40' },
    },
  });
  const tables = new FilledTables();
  const archive = new ArchiveUnderTest(tables);
  for (const size of [50_000, Number(values.studies)]) {
    tables.grow(size);
    console.log(`\n${size} studies\n`);
    console.log(
      '| Query | Requests | Results, p95 | Calls, p95 | Rounds, p95 | Rows, p95 | Rows per result |',
    );
    console.log('| --- | --- | --- | --- | --- | --- | --- |');
    for (const query of queries) await measure(archive, tables, query, Number(values.requests));
  }
}

async function measure(
  archive: ArchiveUnderTest,
  tables: FilledTables,
  query: Query,
  most: number,
): Promise<void> {
  const { name, route, of, pages = 1, requests = most } = query;
  const costs: { calls: number; rounds: number; rows: number; results: number }[] = [];
  // Studies from all over the archive, by steps that are prime to its size.
  for (let n = 7; costs.length < requests; n = (n + 618_033) % tables.studies) {
    const [params, first] = of(n);
    let next: string | undefined = first;
    for (let page = 0; page < pages && next !== undefined; page++) {
      tables.take();
      const answer = await archive.search(route, params, next);
      costs.push({ ...tables.take(), results: answer.results.length });
      next = answer.next;
    }
  }
  const of95 = (field: 'calls' | 'rounds' | 'rows' | 'results') =>
    p95(costs.map((cost) => cost[field]));
  const sum = (field: 'rows' | 'results') => costs.reduce((total, cost) => total + cost[field], 0);
  const perResult = sum('results') === 0 ? '–' : (sum('rows') / sum('results')).toFixed(2);
  const cells = [name, costs.length, of95('results'), of95('calls'), of95('rounds'), of95('rows')];
  console.log(`| ${cells.join(' | ')} | ${perResult} |`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
