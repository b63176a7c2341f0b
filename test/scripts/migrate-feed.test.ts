/** Reading a change feed from page to page, over servers that page as ours does and as the Microsoft server does. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFeed, type FeedSource, type Position } from '../../scripts/migrate/feed.js';

interface Entry {
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

const root = 'http://source';
const textOf = ({ sequence, time }: Entry) => ({
  sequence,
  studyInstanceUid: '1',
  seriesInstanceUid: '2',
  sopInstanceUid: String(sequence),
  action: 'Create',
  state: 'Current',
  timestamp: new Date(time).toISOString().replace('Z', '4321+00:00'),
});

/** A server with a feed; pages of /v1 are stretches of sequences, as those of the Microsoft server. */
function serverOf(way: FeedSource['way'], feed: () => readonly Entry[]): FeedSource {
  const answer = (body: unknown) => ({ status: 200, retryAfter: 0, body });
  return {
    root,
    way,
    json: async (text) => {
      await Promise.resolve();
      const url = new URL(text);
      const entries = feed();
      const last = entries.at(-1);
      if (url.pathname === '/changefeed/latest') {
        return last === undefined
          ? { status: 204, retryAfter: 0, body: undefined }
          : answer(textOf(last));
      }
      const offset = Number(url.searchParams.get('offset'));
      const limit = Number(url.searchParams.get('limit'));
      if (way === 'sequence') {
        const within = entries.filter(
          ({ sequence }) => sequence > offset && sequence <= offset + limit,
        );
        return answer(within.map(textOf));
      }
      const start = Date.parse(url.searchParams.get('startTime') ?? '');
      const within = entries.filter(({ time }) => time >= start);
      return answer(within.slice(offset, offset + limit).map(textOf));
    },
  };
}

/** Entries with holes in their sequences, many of them at one time. */
const feeds = fc
  .array(
    fc.record({
      hole: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 350 })),
      pause: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 9000 })),
    }),
    { maxLength: 700 },
  )
  .map((steps) => {
    let sequence = 0;
    let time = Date.parse('2026-01-01T00:00:00Z');
    return steps.map(({ hole, pause }): Entry => {
      sequence += hole;
      time += pause;
      return { sequence, time };
    });
  });

async function readAll(source: FeedSource, from: Position | undefined, settling: number) {
  const sequences: number[] = [];
  let position = from;
  for await (const { changes, settled } of readFeed(source, from, settling)) {
    sequences.push(...changes.map(({ sequence }) => sequence));
    position = settled;
  }
  return { sequences, position };
}

describe.each(['window', 'sequence'] as const)('a feed read by %s', (way) => {
  it('is read whole, each change once, whatever holes and times it has', async () => {
    await fc.assert(
      fc.asyncProperty(feeds, async (entries) => {
        const { sequences } = await readAll(
          serverOf(way, () => entries),
          undefined,
          0,
        );
        expect(sequences).toEqual(entries.map(({ sequence }) => sequence));
      }),
      { numRuns: 30 },
    );
  });

  it('is read on behind what was read, and shows what came in late', async () => {
    const cases = fc.record({ entries: feeds, cut: fc.nat(700), late: fc.nat(700) });
    await fc.assert(
      fc.asyncProperty(cases, async ({ entries, cut, late }) => {
        const settling = 5000;
        const before = entries.slice(0, cut);
        const newest = before.at(-1)?.time ?? 0;
        // One that is not there yet when it is read for the first time, no older than may be.
        const missing = before[late];
        const isLate = missing !== undefined && missing.time > newest - settling;
        let feed = before.filter((entry) => !isLate || entry !== missing);
        const source = serverOf(way, () => feed);
        const first = await readAll(source, undefined, settling);
        feed = entries;
        const second = await readAll(source, first.position, settling);
        const all = new Set([...first.sequences, ...second.sequences]);
        expect([...all].sort((a, b) => a - b)).toEqual(entries.map(({ sequence }) => sequence));
      }),
      { numRuns: 30 },
    );
  });
});
