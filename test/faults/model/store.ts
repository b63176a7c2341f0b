/** The sequential model of the store: what the service documents, over a map, and nothing clever. */

export interface Place {
  readonly study: number;
  readonly series: number;
  readonly instance: number;
}

/** What an instance says; an empty text stands for an empty value, `undefined` for no element. */
export interface Content {
  readonly patientName: string | undefined;
  readonly patientID: string;
  readonly studyDate: string | undefined;
  readonly modality: string | undefined;
}

export interface Version extends Place, Content {
  /** Distinguishes versions; it is the InstanceNumber and the value of every pixel. */
  readonly number: number;
  /** Distinguishes what updates made of it. */
  readonly edition?: number;
  /** As it was before its first update. */
  readonly original?: Version;
}

interface Change {
  readonly version: Version;
  readonly action: 'Create' | 'Update' | 'Delete';
}

export interface ChangeSeen {
  readonly instance: string;
  readonly action: Change['action'];
  readonly state: 'Current' | 'Replaced' | 'Deleted';
}

/** The newest values of a study. */
export interface StudyModel {
  patientName: string;
  patientID: string;
  studyDate: string;
}

export type StoreResult = 'stored' | 'exists' | 'other-study';

const root = '1.2.826.0.1.3680043.8.498';
export const uidOfStudy = (study: number) => `${root}.1.${study}`;
export const uidOfSeries = ({ study, series }: Omit<Place, 'instance'>) =>
  `${root}.2.${study}.${series}`;
export const uidOf = ({ study, series, instance }: Place) =>
  `${root}.3.${study}.${series}.${instance}`;

/** What a delete takes, or a request names. */
export interface Scope {
  readonly study: number;
  readonly series?: number;
  readonly instance?: number;
}

export function isWithin(place: Place, { study, series, instance }: Scope): boolean {
  return (
    place.study === study &&
    (series === undefined || place.series === series) &&
    (instance === undefined || place.instance === instance)
  );
}

export class StoreModel {
  readonly #instances = new Map<string, Version>();
  readonly #studies = new Map<number, StudyModel>();
  readonly #modalities = new Map<string, string>();
  readonly #changes: Change[] = [];
  #editions = 0;
  /** When studies expire, in minutes of the model's clock. */
  readonly expires = new Map<number, number>();
  minutes = 0;
  /** Of the two query tags, which are added and removed together. */
  tags: 'none' | 'adding' | 'ready' = 'none';
  /** ETags that were seen, and what they were of. */
  readonly etags = new Map<string, { readonly etag: string; readonly versions: string }>();

  store(version: Version, mode: 'POST' | 'PUT', inStudy: number | undefined): StoreResult {
    if (inStudy !== undefined && inStudy !== version.study) return 'other-study';
    const known = this.#instances.get(uidOf(version));
    if (known !== undefined && mode === 'POST') return 'exists';
    this.#instances.set(uidOf(version), version);
    this.#changes.push({ version, action: known === undefined ? 'Create' : 'Update' });
    const study = this.#studies.get(version.study) ?? {
      patientName: '',
      patientID: '',
      studyDate: '',
    };
    study.patientName = version.patientName || study.patientName;
    study.patientID = version.patientID || study.patientID;
    study.studyDate = version.studyDate || study.studyDate;
    this.#studies.set(version.study, study);
    const series = uidOfSeries(version);
    this.#modalities.set(series, version.modality || (this.#modalities.get(series) ?? ''));
    return 'stored';
  }

  /** Gives every instance of a study other values; answers what there was before its first update, in order of UIDs. */
  update(study: number, values: Pick<Content, 'patientName' | 'patientID'>): readonly Version[] {
    const known = this.#studies.get(study);
    const before = this.within({ study });
    for (const version of before) {
      const edition = (this.#editions += 1);
      const updated = { ...version, ...values, edition, original: version.original ?? version };
      this.#instances.set(uidOf(version), updated);
      this.#changes.push({ version: updated, action: 'Update' });
    }
    // Empty values count as well.
    if (known !== undefined) {
      known.patientName = values.patientName ?? '';
      known.patientID = values.patientID;
    }
    return before.map((version) => version.original ?? version);
  }

  /** @returns how many instances there were. */
  delete(scope: Scope): number {
    const gone = this.within(scope);
    for (const version of gone) {
      this.#instances.delete(uidOf(version));
      this.#changes.push({ version, action: 'Delete' });
      const { study, series } = version;
      if (this.within({ study, series }).length === 0) {
        this.#modalities.delete(uidOfSeries(version));
      }
      if (this.within({ study }).length > 0) continue;
      this.#studies.delete(study);
      this.expires.delete(study);
    }
    return gone.length;
  }

  /** Time passes; what is due then is deleted. */
  pass(minutes: number): void {
    this.minutes += minutes;
    for (const [study, due] of [...this.expires]) if (due < this.minutes) this.delete({ study });
  }

  /** What is there of a study, series or instance, in order of UIDs. */
  within(scope: Scope): readonly Version[] {
    return [...this.#instances.values()]
      .filter((version) => isWithin(version, scope))
      .sort((a, b) => a.series - b.series || a.instance - b.instance);
  }

  all(): readonly Version[] {
    return [...this.#instances.values()];
  }

  studies(): ReadonlyMap<number, StudyModel> {
    return this.#studies;
  }

  modalityOf(series: Omit<Place, 'instance'>): string {
    return this.#modalities.get(uidOfSeries(series)) ?? '';
  }

  modalitiesIn(study: number): readonly string[] {
    const all = this.within({ study }).flatMap((version) => [
      version.modality ?? '',
      this.modalityOf(version),
    ]);
    return [...new Set(all.filter((modality) => modality !== ''))].sort();
  }

  /** The changes of one study in their order; those of several studies at once have no order. */
  changesOf(study: number): readonly ChangeSeen[] {
    return this.#changes
      .filter(({ version }) => version.study === study)
      .map(({ version, action }) => {
        const current = this.#instances.get(uidOf(version));
        const isCurrent = action !== 'Delete' && current === version;
        const state = current === undefined ? 'Deleted' : isCurrent ? 'Current' : 'Replaced';
        return { instance: uidOf(version), action, state };
      });
  }

  get changes(): number {
    return this.#changes.length;
  }
}
