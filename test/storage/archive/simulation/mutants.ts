/**
 * THE table of what the simulation must notice: each row takes one thought out of the protocol. `npm run
 * simulate:mutants` plays schedules on each until one fails.
 */

export interface Mutant {
  /** What is wrong with the protocol. */
  readonly name: string;
  readonly file: string;
  /** Text that is there once. */
  readonly find: string;
  readonly replace: string;
  /** A test that notices, where it takes more schedules than are played. */
  readonly test?: string;
}

const archive = 'src/storage/archive';
const settle = `${archive}/commit/settle.ts`;
const verdict = `${archive}/log/verdict.ts`;
const recovery = `${archive}/commit/recovery.ts`;
const studyRows = `${archive}/commit/study-rows.ts`;
const storeCommit = `${archive}/commit/store-commit.ts`;
const deleteCommit = `${archive}/commit/delete-commit.ts`;
const catalog = `${archive}/catalog.ts`;
const changeLog = `${archive}/log/change-log.ts`;
const changeFeed = `${archive}/log/change-feed.ts`;
const logTail = `${archive}/log/log-tail.ts`;

export const mutants: readonly Mutant[] = [
  {
    name: 'an intent that may still happen is called void without a fence',
    file: verdict,
    find: "return revision === base ? 'open' : 'void';",
    replace: "return 'void';",
  },
  {
    name: 'the fence is written without the ETag of the row',
    file: catalog,
    find: 'guarded(studyRowKey, guard.etag, properties),\n    ]);\n    return outcome.committed;',
    replace:
      "{ kind: 'upsert', rowKey: studyRowKey, properties },\n    ]);\n    return outcome.committed;",
  },
  {
    name: 'the commit is not under the ETag of the study row',
    file: catalog,
    find: 'guarded(studyRowKey, etag, studyRow),',
    replace: "{ kind: 'upsert', rowKey: studyRowKey, properties: studyRow },",
  },
  {
    name: 'the row of a deleted study goes',
    file: catalog,
    find: 'guarded(studyRowKey, etag, studyRow),',
    replace: 'guarded(studyRowKey, etag, plan.study && studyRow),',
  },
  {
    name: 'the row names the last commit alone, before the log has settled those before',
    file: catalog,
    find: 'commits.filter((intent) => !noted.isClosed(intent))',
    replace: '[] as number[]',
  },
  {
    name: 'what the row names is not asked: a moved revision means void',
    file: verdict,
    find: "if (commits.includes(sequence)) return 'happened';",
    replace: '',
  },
  {
    name: 'a reader takes an intent for void without looking whether it is still open',
    file: verdict,
    find: 'return tail.open.includes(sequence) ? verdict : await closedAs(parts, sequence);',
    replace: 'return tail.open.includes(sequence) ? verdict : verdict;',
  },
  {
    name: 'an intent is closed without the ETag of the tail',
    file: settle,
    find: 'const closing = tailOperation(tail, { open, totals });',
    replace:
      "const closing = { ...tailOperation(tail, { open, totals }), kind: 'upsert' } as const;",
  },
  {
    name: 'the feed passes an intent that may still happen',
    file: changeFeed,
    find: "...parts.filter((_, n) => verdicts[n] === 'open').map(({ intent }) => firstIn(intent)),",
    replace: 'Infinity,',
  },
  {
    name: 'a change is shown before the other tails have passed it',
    file: logTail,
    find: 'if (tail.last >= sequence) return sequence;',
    replace: 'return sequence;',
  },
  {
    name: 'a tail is raised without its ETag',
    file: logTail,
    find: "{ kind: 'replace', rowKey: logTailRowKey, properties, etag: tail.etag }",
    replace: "{ kind: 'upsert', rowKey: logTailRowKey, properties }",
  },
  {
    name: 'new shards begin at the beginning',
    file: logTail,
    find: 'await writeTail(tables, none, { last, tags, shards: wanted });',
    replace: 'await writeTail(tables, none, { last: 0, tags, shards: wanted });',
  },
  {
    name: 'a sequence may be less than that of the last change of the study',
    file: changeLog,
    find: 'Math.max(last, after, now)',
    replace: 'Math.max(last, now)',
  },
  {
    name: 'the clock of storage is left out of a sequence, and so may be behind a raised tail',
    file: changeLog,
    find: 'Math.max(last, after, now)',
    replace: 'Math.max(after, now)',
  },
  {
    name: 'an append without an answer counts as lost, and is made anew',
    file: changeLog,
    find: "if (!(await this.#isThere(partitionKey, placed[0]))) return 'lost';",
    replace: "return 'lost';",
  },
  {
    name: 'an append without an answer counts as made',
    file: changeLog,
    find: "if (!(await this.#isThere(partitionKey, placed[0]))) return 'lost';",
    replace: '',
  },
  {
    name: 'the next attempt leaves the intent of the lost one where it is',
    file: changeLog,
    find: 'deleted: [...before, ...dropping],',
    replace: 'deleted: dropping,',
  },
  {
    name: 'a commit without an answer counts as lost',
    file: studyRows,
    find: 'if (now.commits.includes(sequence)) return { committed: true };',
    replace: '',
  },
  {
    name: 'a commit that somebody else has settled meanwhile counts as lost',
    file: studyRows,
    find: 'if (await hasHappened(this.parts, sequence)) return { committed: true };',
    replace: '',
    test: 'test/storage/archive/commit/answered-late.test.ts',
  },
  {
    name: 'a refused commit is sent again without end',
    file: studyRows,
    find: 'if (refused !== undefined) return refused;',
    replace: '',
    test: 'test/storage/archive/commit/answered-late.test.ts',
  },
  {
    name: 'a store is answered before its commit',
    file: storeCommit,
    find: 'const sent = await this.#commitStore(state, plan, instances, rows, intent);',
    replace:
      'void this.#commitStore(state, plan, instances, rows, intent).catch(() => undefined);\n      const sent = { committed: true } as Sent;',
  },
  {
    name: 'a commit in doubt is taken back',
    file: storeCommit,
    find: 'if (!attempted.isInDoubt) {',
    replace: '{',
  },
  {
    name: 'index rows are written after the answer',
    file: storeCommit,
    find: 'attempts.index(plan, state.study === undefined),',
    replace:
      'void this.#rows.parts.runtime.rest(100_000).then(async () => await attempts.index(plan, state.study === undefined)).catch(() => undefined),',
  },
  {
    name: 'index rows that a commit makes useless go before it',
    file: storeCommit,
    find: 'const sent = await this.#commitStore(state, plan, instances, rows, intent);',
    replace:
      'await this.#rows.parts.index.remove(plan.removed);\n      const sent = await this.#commitStore(state, plan, instances, rows, intent);',
  },
  {
    name: 'a study is not doubted before it is deleted',
    file: deleteCommit,
    find: 'plan.study === undefined ? this.#rows.doubtBrowse(state) : undefined,',
    replace: 'undefined,',
  },
  {
    name: 'recovery removes the files of an intent that is open',
    file: recovery,
    find: 'const tails = await readTails(parts.tables);\n  const open',
    replace:
      'const tails = await readTails(parts.tables);\n  for (const one of tails.flatMap((tail) => tail.open)) {\n    const intent = await readIntent(parts, one);\n    if (intent) await clear(parts, { ...intent, isVoid: true });\n  }\n  const open',
  },
  {
    name: 'void intents are cleared away although their writer has taken them over',
    file: settle,
    find: 'if (!gone.committed) return;',
    replace: '',
    test: 'test/storage/archive/commit/frozen-writer.test.ts',
  },
  {
    name: 'recovery passes what is open when it notes how far it got',
    file: recovery,
    find: 'const end = Math.min(firstSequenceOf(latest), newest + 1, ...open);',
    replace: 'const end = Math.min(firstSequenceOf(latest + 86_400_000), newest + 1);',
  },
  {
    name: 'recovery closes a commit without doing what follows it',
    file: settle,
    find: "if (verdict === 'happened') await finish(parts, intent);",
    replace: "if (verdict === 'happened' && intent.base < 0) await finish(parts, intent);",
  },
];
