/** A series: its picture, what it is, its instances, and their attributes. */
import { useState } from 'preact/hooks';
import { searchAll } from '../api/search.js';
import { numberOf, textOf, type DataSet } from '../dicom/data-set.js';
import { Icon } from '../parts/icon.js';
import { Message } from '../parts/message.js';
import { Picture } from '../parts/picture.js';
import { useRequest } from '../parts/use-request.js';
import { links } from '../route.js';
import { allowed } from '../session/session.js';
import { ShareButton } from '../share/share-button.js';
import { text } from '../text.js';
import { Attributes } from './attributes.js';
import { saveFile } from './save-file.js';

interface Props {
  readonly study: string;
  readonly series: DataSet;
  /** Days that a link works where nobody chooses; `null` where there are no links. */
  readonly shareDays: number | null;
  /** The only series of its study is shown open. */
  readonly isOnly: boolean;
}

function Instances({ path }: { readonly path: string }) {
  const [chosen, setChosen] = useState<string>();
  const [loaded, retry] = useRequest(path, async (signal) => {
    const all = await searchAll(`${path}/instances?limit=1000`, signal);
    const number = (one: DataSet) => numberOf(one, 'InstanceNumber') ?? Infinity;
    return [...all].sort((a, b) => number(a) - number(b));
  });
  if (loaded.state === 'loading') return <Message title={text.loading} />;
  if (loaded.state === 'failed') {
    return <Message title={loaded.message} tone="error" onRetry={retry} />;
  }
  const uid = chosen ?? textOf(loaded.value[0], 'SOPInstanceUID');
  const instance = `${path}/instances/${uid}`;
  return (
    <div class="instances">
      <label class="field">
        <span class="field-label">{text.study.instances}</span>
        <select value={uid} onChange={(event) => setChosen(event.currentTarget.value)}>
          {loaded.value.map((one) => {
            const sop = textOf(one, 'SOPInstanceUID');
            const number = textOf(one, 'InstanceNumber');
            const frames = numberOf(one, 'NumberOfFrames') ?? 1;
            return (
              <option key={sop} value={sop}>
                {number === '' ? sop : text.study.instanceNumber(number)}
                {frames > 1 ? ` (${text.study.frames(frames)})` : ''}
              </option>
            );
          })}
        </select>
      </label>
      <button
        type="button"
        class="button"
        onClick={() => void saveFile(instance, 'application/dicom', `${uid}.dcm`)}
      >
        <Icon name="download" /> {text.study.download}
      </button>
      <Attributes key={uid} path={`${instance}/metadata`} />
    </div>
  );
}

export function SeriesCard({ study, series, shareDays, isOnly }: Props) {
  const uid = textOf(series, 'SeriesInstanceUID');
  const path = `studies/${study}/series/${uid}`;
  const [open, setOpen] = useState(false);
  const modality = textOf(series, 'Modality');
  const number = textOf(series, 'SeriesNumber');
  const count = numberOf(series, 'NumberOfSeriesRelatedInstances') ?? 0;
  const facts = [
    number === '' ? '' : text.study.seriesNumber(number),
    textOf(series, 'BodyPartExamined'),
    text.study.images(count),
  ].filter(Boolean);
  return (
    <li class={isOnly ? 'series-card series-card-only' : 'series-card'}>
      <a class="series-picture" href={links.look(study, uid)} aria-label={text.study.look}>
        <Picture
          path={`${path}/thumbnail?viewport=200,200`}
          alt=""
          fallback={modality === '' ? text.study.noPicture : modality}
        />
      </a>
      <div class="series-facts">
        <h3>
          {modality !== '' && <span class="badge">{modality}</span>}{' '}
          <bdi>{textOf(series, 'SeriesDescription') || text.study.seriesNumber(number)}</bdi>
        </h3>
        <p class="faint">{facts.join(' · ')}</p>
        <p class="series-actions">
          <a class="button button-main" href={links.look(study, uid)}>
            {text.study.look}
          </a>
          <button type="button" class="button" aria-expanded={open} onClick={() => setOpen(!open)}>
            <Icon name="table" /> {text.study.attributes}
          </button>
          {shareDays !== null && allowed.value('share') && (
            <ShareButton study={study} series={uid} days={shareDays} />
          )}
        </p>
      </div>
      {open && <Instances path={path} />}
    </li>
  );
}
