import type { Fault } from './fault.js'
import { order } from './rows/order.js'
import { powerLoss } from './rows/power-loss.js'
import { unseenState } from './rows/unseen-state.js'
import { zombie } from './rows/zombie.js'

/** A text of the compiled product, and another in its place. */
interface Replacement {
  readonly name: string
  /** Below dist. */
  readonly file: string
  /** Occurs in the file exactly once. */
  readonly find: string
  readonly replace: string
}

/** One step of the write path switched off, which a row must notice. */
export interface Mutation extends Replacement {
  readonly row: Fault
  /** What the row says when it fails for this and not for something else. */
  readonly sign: RegExp
  /** False where the row sees it also without strace. */
  readonly traced: boolean
}

const DURABLE_FILE = 'repository/file/durable-file.js'
const TEMP_FILE = 'repository/file/temp-file.js'
const STORED_CAMPAIGN = 'repository/file/stored-campaign.js'
const OPENING = 'repository/file/open-file-repository.js'

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'no sweep after a take-over',
    file: OPENING,
    find: 'const swept = directory.sweep();',
    replace: 'const swept = 0;',
    row: zombie,
    sign: /stopped inside its rename: the zombie wrote untouched\.json/,
    traced: true,
  },
  {
    name: 'no look at the lock after the rename',
    file: DURABLE_FILE,
    find: `    if (!ownsLock(directory))
        return { kind: 'unknown', detail: 'the lock was lost during the write' };
`,
    replace: '',
    row: zombie,
    sign: /its lock replaced: the owner acknowledged: 200/,
    traced: true,
  },
  {
    name: 'no flush of the temp file before the rename',
    file: TEMP_FILE,
    find: `        if (flush)
            fs.fsyncSync(descriptor);
`,
    replace: '',
    row: order,
    sign: /\S+ was answered before it was durable/,
    traced: true,
  },
  {
    name: 'no flush of the directory after the rename',
    file: DURABLE_FILE,
    find: `        if (flush)
            fs.fsyncSync(descriptor);
    }
`,
    replace: `    }
`,
    row: order,
    sign: /\b0 commits, [^;]* was answered before it was durable/,
    traced: true,
  },
  {
    name: 'an answer before the rename',
    file: STORED_CAMPAIGN,
    find: `        this.writing = batch;
`,
    replace: `        this.writing = batch;
        batch.answer();
`,
    row: order,
    sign: /\S+ was answered before it was durable/,
    traced: true,
  },
  {
    name: 'a repeat or a refusal answered before the commit that it was judged on',
    file: STORED_CAMPAIGN,
    find: 'const seen = this.open ?? this.writing;',
    replace: 'return void call.answer();',
    row: unseenState,
    sign: /answered (200|409) during the flush of the temp file/,
    traced: true,
  },
  {
    name: 'a repeat or a refusal answered with the commit before the one that it was judged on',
    file: STORED_CAMPAIGN,
    find: 'const seen = this.open ?? this.writing;',
    replace: 'const seen = this.writing;',
    row: unseenState,
    sign: /answered (200|409) during the rename behind another commit/,
    traced: true,
  },
  {
    name: 'no look at the lock where nothing is written',
    file: STORED_CAMPAIGN,
    find: '        const isOurs = this.lock.isOurs();\n',
    replace: '        const isOurs = true;\n',
    row: zombie,
    sign: /the (zombie|owner) answered: (200|409)/,
    traced: false,
  },
  {
    name: 'a short write taken for a whole one',
    file: TEMP_FILE,
    find: 'let written = fs.writevSync(descriptor, waiting.slice(0, 1024));',
    replace: `fs.writevSync(descriptor, waiting.slice(0, 1024));
        let written = waiting.slice(0, 1024).reduce((length, part) => length + part.length, 0);`,
    row: powerLoss,
    sign: /in two writes: [^;]* reads as corrupt/,
    traced: false,
  },
]

/** @throws Error when the text to replace is not there exactly once: then the mutation is to be brought up to date */
export function mutated(text: string, { name, file, find, replace }: Replacement): string {
  const found = text.split(find).length - 1
  if (found !== 1) throw new Error(`the mutation "${name}" no longer fits: dist/${file} has its text ${found} times`)
  return text.replace(find, () => replace)
}
