/** The form that adds a query tag: a keyword or a tag, and for private tags their creator and VR. */
import { useState } from 'preact/hooks';
import { keywords } from '../dicom/keywords.js';
import { text } from '../text.js';

/** A tag as the service takes it. */
export interface NewQueryTag {
  readonly path: string;
  readonly level: string;
  readonly vr?: string;
  readonly privateCreator?: string;
}

/** Whether a tag is private: eight hex digits, the group odd (PS3.5 §7.8). */
function isPrivate(path: string): boolean {
  return /^[\da-f]{3}[13579bdf][\da-f]{4}$/i.test(path);
}

function Field(props: {
  readonly label: string;
  readonly value: string;
  readonly list?: string;
  readonly onInput: (value: string) => void;
}) {
  const { label, value, list, onInput } = props;
  return (
    <label class="field">
      <span class="field-label">{label}</span>
      <input
        type="text"
        required
        value={value}
        spellcheck={false}
        autocomplete="off"
        {...(list !== undefined && { list })}
        onInput={(event) => onInput(event.currentTarget.value.trim())}
      />
    </label>
  );
}

interface Props {
  /** Adds it; answers whether it was added. */
  readonly onAdd: (tag: NewQueryTag) => Promise<boolean>;
}

export function NewTag({ onAdd }: Props) {
  const [path, setPath] = useState('');
  const [level, setLevel] = useState('instance');
  const [vr, setVr] = useState('');
  const [creator, setCreator] = useState('');
  const [busy, setBusy] = useState(false);
  const needsMore = isPrivate(path);
  const add = async () => {
    setBusy(true);
    const more = needsMore ? { vr: vr.toUpperCase(), privateCreator: creator } : {};
    const isAdded = await onAdd({ path, level, ...more });
    setBusy(false);
    if (!isAdded) return;
    setPath('');
    setVr('');
    setCreator('');
  };
  // A list of thousands would be shown whole.
  const wanted = path.toLowerCase();
  const offered =
    wanted.length < 3
      ? []
      : [...keywords.value.values()]
          .filter((one) => one.toLowerCase().includes(wanted))
          .slice(0, 20);
  return (
    <form
      class="new-tag"
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <Field label={text.operate.tagPath} value={path} list="keywords" onInput={setPath} />
      <datalist id="keywords">
        {offered.map((keyword) => (
          <option key={keyword} value={keyword} />
        ))}
      </datalist>
      <label class="field">
        <span class="field-label">{text.operate.tagLevel}</span>
        <select value={level} onChange={(event) => setLevel(event.currentTarget.value)}>
          {Object.entries(text.operate.tagLevels).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {needsMore && <Field label={text.operate.tagVr} value={vr} onInput={setVr} />}
      {needsMore && <Field label={text.operate.tagCreator} value={creator} onInput={setCreator} />}
      <button type="submit" class="button button-main" disabled={busy || path === ''}>
        {text.operate.addTag}
      </button>
    </form>
  );
}
