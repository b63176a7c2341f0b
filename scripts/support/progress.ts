/**
 * One line that says how far a script is: a bar that redraws itself on a terminal, and a plain line
 * now and then anywhere else.
 */

/** What a progress line is written to; `process.stderr` is one. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface Progress {
  /** Counts one step done and names it. */
  step(label: string): void;
  /** On a terminal, says how far the step under way is; now and then is enough, so most are passed over. */
  show(label: string): void;
  /** Ends the line. */
  finish(): void;
}

const barWidth = 28;
const labelWidth = 40;
/** How many plain lines a long run prints where there is no terminal. */
const plainLines = 10;
/** Between two drawings of a step that is under way. */
const redrawMilliseconds = 100;

/**
 * Starts a progress line.
 *
 * @param total how many steps there are to come.
 */
export function startProgress(output: ProgressOutput, title: string, total: number): Progress {
  let done = 0;
  const every = Math.max(1, Math.ceil(total / plainLines));
  let drawn = 0;
  const draw = (label: string): void => {
    drawn = Date.now();
    if (output.isTTY === true) {
      const filled = total === 0 ? barWidth : Math.round((barWidth * done) / total);
      const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
      output.write(`\r\u001b[2K${title} ${bar} ${done}/${total} ${shorten(label)}`);
    } else if (done % every === 0 || done === total) {
      output.write(`${title} ${done}/${total} ${label}\n`);
    }
  };
  return {
    step: (label) => {
      done += 1;
      draw(label);
    },
    show: (label) => {
      if (output.isTTY === true && Date.now() - drawn >= redrawMilliseconds) draw(label);
    },
    finish: () => {
      if (output.isTTY === true) output.write('\r\u001b[2K');
    },
  };
}

function shorten(label: string): string {
  return label.length <= labelWidth ? label : `…${label.slice(1 - labelWidth)}`;
}
