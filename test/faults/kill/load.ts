/** Clients that store, replace and delete at once, and note in the ledger what they were told. */
import { writeParts } from '../../support/multipart.js';
import { newFile } from './files.js';
import type { Instance, Ledger } from './ledger.js';

const root = '1.2.826.0.1.3680043.8.498';
const sharedStudies = 3;
/** A client goes on to a new study of its own, and all to new shared ones, after so many deeds. */
const deedsPerStudy = 25;
const modalities = ['CT', 'MR', 'US'] as const;

/** What was answered that must not be. */
export interface AnswerFindings {
  /** Answers that are neither what the request calls for nor 503 with Retry-After. */
  readonly unexpected: string[];
  /** Requests without an answer when their time was over. */
  readonly hangs: string[];
  /** Answers of 503. */
  busy: number;
}

export interface LoadOptions {
  readonly ledger: Ledger;
  readonly clients: number;
  /** Base URLs of the processes that are there. */
  readonly baseUrls: () => readonly string[];
  readonly findings: AnswerFindings;
  /** The share of stored files whose metadata does not fit a row. */
  readonly bigShare: () => number;
  /** After so long without an answer a request counts as hanging. */
  readonly answerMilliseconds: number;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** How a request ended. */
interface Ending {
  /** `undefined` without an answer. */
  readonly status: number | undefined;
  /** Of a store: instances that may be stored all the same, since storage did not answer. */
  readonly unsure: ReadonlySet<string>;
}

const unanswered: Ending = { status: undefined, unsure: new Set() };
/** Failure reason of an instance that "could not be stored; storing it again may succeed". */
const processingFailure = 272;

/** The instances that a store of which some part succeeded says it could not process. */
function unsureIn(text: string): ReadonlySet<string> {
  type Item = Readonly<Record<string, { readonly Value?: readonly unknown[] } | undefined>>;
  const failed = (JSON.parse(text) as Item)['00081198']?.Value ?? [];
  return new Set(
    (failed as readonly Item[])
      .filter((item) => item['00081197']?.Value?.[0] === processingFailure)
      .map((item) => String(item['00081155']?.Value?.[0])),
  );
}

class LoadClient {
  readonly #options: LoadOptions;
  readonly #number: number;
  #deeds = 0;
  #stored = 0;

  constructor(number: number, options: LoadOptions) {
    this.#number = number;
    this.#options = options;
  }

  async act(): Promise<void> {
    this.#deeds += 1;
    const { random } = this.#options;
    const dice = random();
    if (dice < 0.5) await this.#store();
    else if (dice < 0.72) await this.#replace();
    else if (dice < 0.87) await this.#deleteInstance();
    else if (dice < 0.92) await this.#deleteSeries();
    else if (dice < 0.95) await this.#deleteStudy();
    else await this.#storeRefused();
  }

  get #epoch(): number {
    return Math.floor(this.#deeds / deedsPerStudy);
  }

  #privateStudy(): string {
    return `${root}.1.${this.#number + 10}.${this.#epoch}`;
  }

  #sharedStudy(): string {
    return `${root}.1.${Math.floor(this.#options.random() * sharedStudies)}.${this.#epoch}`;
  }

  /** The instances of this client. */
  #own(): Instance[] {
    const mine = `.${this.#number}`;
    return this.#recent().filter(({ series }) => series.endsWith(mine));
  }

  /** The instances of the studies that are worked on. */
  #recent(): Instance[] {
    const study = `.${this.#epoch}`;
    return [...this.#options.ledger.instances.values()].slice(-1500).filter((instance) => {
      return instance.study.endsWith(study);
    });
  }

  #newUids(study: string): Pick<Instance, 'study' | 'series' | 'instance'> {
    this.#stored += 1;
    const series = `${study.replace(`${root}.1.`, `${root}.2.`)}.${this.#number}`;
    return { study, series, instance: `${root}.3.${this.#number}.${this.#stored}` };
  }

  #fileOf(uids: Pick<Instance, 'study' | 'series' | 'instance'>) {
    const { random, bigShare } = this.#options;
    const modality = modalities[this.#number % modalities.length] ?? 'CT';
    const { study, series, instance } = uids;
    return newFile({ study, series, instance, modality, big: random() < bigShare() });
  }

  async #store(): Promise<void> {
    const { ledger, random } = this.#options;
    const study = random() < 0.6 ? this.#sharedStudy() : this.#privateStudy();
    const files = Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
      const instance = ledger.add(this.#newUids(study));
      return { instance, ...this.#fileOf(instance) };
    });
    const ending = await this.#send('POST', '/studies', files);
    this.#note(ending, 200, files, 'Create');
  }

  async #replace(): Promise<void> {
    const there = this.#own().filter(({ content, inDoubt }) => content !== undefined && !inDoubt);
    const chosen = this.#some(there, 1 + Math.floor(this.#options.random() * 2));
    if (chosen.length === 0) return;
    const files = chosen.map((instance) => ({ instance, ...this.#fileOf(instance) }));
    const ending = await this.#send('PUT', '/studies', files);
    this.#note(ending, 200, files, 'Update');
  }

  #some<T>(all: readonly T[], count: number): readonly T[] {
    const start = Math.floor(this.#options.random() * Math.max(all.length - count, 1));
    return all.slice(start, start + count);
  }

  async #deleteInstance(): Promise<void> {
    const there = this.#own().filter(({ content, inDoubt }) => content !== undefined && !inDoubt);
    const [chosen] = this.#some(there, 1);
    if (chosen === undefined) return;
    const { study, series, instance } = chosen;
    await this.#delete(`/studies/${study}/series/${series}/instances/${instance}`, [chosen]);
  }

  async #deleteSeries(): Promise<void> {
    const [chosen] = this.#some(this.#own(), 1);
    if (chosen === undefined) return;
    const { study, series } = chosen;
    const all = this.#own().filter((one) => one.series === series);
    await this.#delete(`/studies/${study}/series/${series}`, all);
  }

  async #deleteStudy(): Promise<void> {
    const study = this.#privateStudy();
    const all = this.#own().filter((one) => one.study === study);
    await this.#delete(`/studies/${study}`, all);
  }

  async #delete(path: string, scope: readonly Instance[]): Promise<void> {
    // What is in doubt is left alone until it has been looked up.
    if (scope.some(({ inDoubt }) => inDoubt !== undefined)) return;
    const there = scope.filter(({ content }) => content !== undefined);
    if (there.length === 0) return;
    const ending = await this.#send('DELETE', path);
    const gone = there.map((instance) => ({ instance, hash: undefined }));
    this.#note(ending, 204, gone, 'Delete');
  }

  /** A file that is not of the study in the URL. */
  async #storeRefused(): Promise<void> {
    const { ledger } = this.#options;
    const instance = ledger.add(this.#newUids(this.#sharedStudy()));
    const file = { instance, ...this.#fileOf(instance) };
    const { status } = await this.#send('POST', `/studies/${root}.9`, [file]);
    if (status === 409) ledger.refused += 1;
    else if (status === undefined || status === 503) ledger.unanswered += 1;
    else this.#options.findings.unexpected.push(`POST of another study: ${status}`);
  }

  #note(
    { status, unsure }: Ending,
    success: number,
    changes: readonly { readonly instance: Instance; readonly hash: string | undefined }[],
    action: 'Create' | 'Update' | 'Delete',
  ): void {
    const { ledger, findings } = this.#options;
    const acknowledged = status === success || unsure.size > 0;
    if (acknowledged) ledger.acknowledged += 1;
    else ledger.unanswered += 1;
    if (!acknowledged && status !== undefined && status !== 503) {
      findings.unexpected.push(`${action}: ${status}`);
    }
    for (const { instance, hash } of changes) {
      const isSure = acknowledged && !unsure.has(instance.instance);
      if (isSure) ledger.acknowledge(instance, action, hash);
      else ledger.doubt(instance, action, hash);
    }
  }

  async #send(
    method: string,
    path: string,
    files: readonly { readonly file: Buffer }[] = [],
  ): Promise<Ending> {
    const { findings, answerMilliseconds } = this.#options;
    const urls = this.#options.baseUrls();
    const url = urls[(this.#number + this.#deeds) % urls.length];
    if (url === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return unanswered;
    }
    const boundary = 'a-boundary';
    const parts = files.map(({ file }) => ({
      headers: ['Content-Type: application/dicom'],
      body: file,
    }));
    try {
      const response = await fetch(url + path, {
        method,
        signal: AbortSignal.timeout(answerMilliseconds),
        ...(parts.length > 0 && {
          body: writeParts(parts, boundary),
          headers: {
            'Content-Type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
          },
        }),
      });
      const text = await response.text();
      if (response.status === 503) {
        findings.busy += 1;
        if (response.headers.get('retry-after') === null) {
          findings.unexpected.push(`${method}: 503 without Retry-After`);
        }
      } else if (response.status >= 400 && response.status !== 409) {
        findings.unexpected.push(`${method} ${response.status}: ${text.slice(0, 300)}`);
      }
      const unsure = response.status === 202 ? unsureIn(text) : new Set<string>();
      return { status: response.status, unsure };
    } catch (error) {
      const isTooLate = error instanceof Error && error.name === 'TimeoutError';
      // A process that stands still answers nobody.
      if (isTooLate && this.#options.baseUrls().includes(url)) findings.hangs.push(method);
      return unanswered;
    }
  }
}

export interface Load {
  /** Lets the clients finish what they are at. */
  stop(): Promise<void>;
}

/** Makes clients, which keep what they know from load to load. */
export function makeClients(options: LoadOptions): { start(): Load } {
  const clients = Array.from(
    { length: options.clients },
    (_, number) => new LoadClient(number, options),
  );
  return {
    start() {
      let stopping = false;
      const isStopping = () => stopping;
      const running = clients.map(async (client) => {
        while (!isStopping()) await client.act();
      });
      return {
        async stop() {
          stopping = true;
          await Promise.all(running);
        },
      };
    },
  };
}
