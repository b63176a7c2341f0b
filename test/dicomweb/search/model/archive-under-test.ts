/** An archive that random writers change, and the search handlers over it. */
import type { DataSet } from '../../../../src/dicom/data-set.js';
import type { InstanceUids, SOPClassUID, TransferSyntaxUID } from '../../../../src/dicom/uid.js';
import { defaultLimits } from '../../../../src/dicomweb/limits.js';
import { routes } from '../../../../src/dicomweb/routes.js';
import { createServices, type Services } from '../../../../src/dicomweb/services.js';
import { defaultPartition } from '../../../../src/storage/archive/keys.js';
import type { DeleteScope } from '../../../../src/storage/archive/commit/delete-commit.js';
import type { StoreMode } from '../../../../src/storage/archive/commit/store-commit.js';
import { MemoryBlobStore } from '../../../../src/storage/memory/memory-blob-store.js';
import type { TableStore } from '../../../../src/storage/table-store.js';
import { elementsOf, textIn, type Change } from './naive-search.js';
import { reply } from '../../../../src/http/reply.js';
import { asResponse } from '../../../support/host/web-response.js';
import { contextOf } from '../../../support/request-context.js';

export type Deed =
  | {
      readonly kind: 'store';
      readonly uids: InstanceUids;
      readonly dataSet: DataSet;
      readonly transferSyntax: string;
      readonly mode: StoreMode;
    }
  | { readonly kind: 'delete'; readonly uids: InstanceUids; readonly depth: 1 | 2 | 3 };

export type SearchRouteName = Extract<keyof typeof routes, `searchFor${string}`>;

export interface Answer {
  readonly status: number;
  readonly results: readonly DataSet[];
  /** The query of the next page. */
  readonly next: string | undefined;
  readonly warning: string | null;
  /** X-Total-Count. */
  readonly total: string | null;
}

const partition = defaultPartition;
const baseUrl = 'http://archive.example';

export class ArchiveUnderTest {
  readonly services: Services;
  readonly #stored = new Map<string, Omit<Change, 'uids'>>();
  #rounds = 0;

  constructor(tables: TableStore) {
    const stores = { tables, blobs: new MemoryBlobStore() };
    this.services = createServices(stores, { limits: defaultLimits, partitions: false });
  }

  /** Carries deeds out at once. */
  async perform(deeds: readonly Deed[]): Promise<void> {
    const { archive } = this.services;
    const round = this.#rounds++;
    await Promise.all(
      deeds.map(async (deed) => {
        const { uids } = deed;
        if (deed.kind === 'delete') {
          const scope: DeleteScope = {
            ...(deed.depth > 1 && { series: uids.series }),
            ...(deed.depth > 2 && { instance: uids.instance }),
          };
          await archive.delete(partition, uids.study, scope);
          return;
        }
        const version = archive.newVersion();
        const { dataSet, transferSyntax } = deed;
        this.#stored.set(version, { dataSet, transferSyntax, round });
        const file = {
          uids,
          version,
          sopClass: textIn(elementsOf(dataSet)['00080016']) as SOPClassUID,
          transferSyntax: transferSyntax as TransferSyntaxUID,
          length: 0,
          dataSet,
          index: { frames: undefined, bulk: [] },
        };
        await archive.store(partition, file, deed.mode);
      }),
    );
    await archive.close();
  }

  /** Every commit so far, in order. */
  async changes(): Promise<readonly Change[]> {
    const changes: Change[] = [];
    for (const {
      action,
      version,
      study,
      series,
      instance,
    } of await this.services.archive.feed.changes(1, 1000)) {
      const stored = action === 'Delete' ? undefined : this.#stored.get(version);
      changes.push({ uids: { study, series, instance }, round: 0, ...stored });
    }
    return changes;
  }

  /** Asks a route; `query` has no question mark. */
  async search(
    name: SearchRouteName,
    params: Readonly<Record<string, string>>,
    query: string,
    version?: string,
  ): Promise<Answer> {
    const path = routes[name].path.replace(/\{(\w+)\}/g, (_, key: string) => params[key] ?? '');
    const request = new Request(`${baseUrl}/${path}?${query}`);
    const answered = await routes[name]
      .handler(contextOf(request, { services: this.services, params, version }))
      .catch((error: unknown) => {
        const isRefusal =
          error instanceof Error && 'code' in error && error.code === 'invalid-query';
        if (!isRefusal) throw error;
        return reply(null, { status: 400 });
      });
    const response = asResponse(answered);
    const text = await response.text();
    const link = /^<([^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
    return {
      status: response.status,
      results: response.status === 200 ? (JSON.parse(text) as DataSet[]) : [],
      next: link === undefined ? undefined : new URL(link).search.slice(1),
      warning: response.headers.get('warning'),
      total: response.headers.get('x-total-count'),
    };
  }
}
