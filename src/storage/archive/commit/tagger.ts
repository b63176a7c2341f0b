/** What query tags ask of one commit: the values of what comes, and the index rows of what goes. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { DataSet } from '../../../dicom/data-set.js';
import type { InstanceRow } from '../catalog.js';
import { taggedIndexRows } from '../index/owned-rows.js';
import { taggedValues, tagsOf, type TagSet } from '../index/query-tags.js';
import type { InstanceFiles } from '../files.js';
import type { Partition } from '../keys.js';
import { readMetadata } from '../records.js';
import { noTagging, type NewInstance, type Tagging } from './catalog-plan.js';

const inflate = promisify(gunzip);

/** Whether data sets of instances have to be read to know by which index rows they are found. */
export function tagsInstances(set: TagSet): boolean {
  return tagsOf(set, 'instance').length > 0;
}

export class Tagger {
  readonly #files: InstanceFiles;
  readonly #partition: Partition;
  /** By instance, for the version of the tags. */
  #values = new Map<NewInstance, DataSet>();
  #version = 0;

  constructor(files: InstanceFiles, partition: Partition) {
    this.#files = files;
    this.#partition = partition;
  }

  /**
   * Looks at data sets, as far as there are tags to look for.
   *
   * @param instances - that are stored.
   * @param gone - rows of versions that go, read with all their properties.
   */
  async taggingOf(
    set: TagSet,
    instances: readonly NewInstance[],
    gone: readonly InstanceRow[],
  ): Promise<Tagging> {
    if (set.tags.length === 0) return { ...noTagging, set };
    if (set.version !== this.#version) this.#values = new Map();
    this.#version = set.version;
    const values = this.#values;
    for (const instance of instances) {
      if (values.has(instance)) continue;
      // What was kept of the data set was chosen before it was known which tags there are.
      const text = readMetadata((await inflate(instance.metadata)).toString()).json;
      values.set(instance, taggedValues(JSON.parse(text) as DataSet, set.tags));
    }
    const rows = tagsInstances(set) ? gone : [];
    const goneRows = await Promise.all(
      rows.map(async (row) => {
        const tagged = taggedValues(
          await this.#files.dataSet(this.#partition, row),
          tagsOf(set, 'instance'),
        );
        return taggedIndexRows(this.#partition, row.record, tagged, set);
      }),
    );
    return { set, valuesOf: (instance) => values.get(instance) ?? {}, gone: goneRows.flat() };
  }
}
