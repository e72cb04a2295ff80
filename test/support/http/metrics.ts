/** One series at one scrape. */
export interface Sample {
  /** With the suffix of its type, such as `_bucket`. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Metric {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly Sample[]
}

/** The response of `GET /metrics`, parsed. */
export class Scrape {
  readonly metrics: readonly Metric[]

  /** @throws Error at the first line that is not in the text format */
  constructor(text: string) {
    this.metrics = text.trimEnd().split('\n\n').map(readMetric)
  }

  get names(): string[] {
    return this.metrics.map(({ name }) => name)
  }

  /** The value of the one series with exactly these labels; undefined when there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    return this.samples(name).find((sample) => keyOf(sample.labels) === keyOf(labels))?.value
  }

  samples(name: string): Sample[] {
    return this.metrics.flatMap(({ samples }) => samples).filter((sample) => sample.name === name)
  }
}

const HEAD = /^# HELP (\w+) (.+)\n# TYPE (\w+) (counter|gauge|histogram|summary)(?:\n|$)/
const SAMPLE = /^(\w+)(?:\{(.*)\})? (\S+)$/
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)/gy

function readMetric(block: string): Metric {
  const [head, name = '', help = '', typed, type = ''] = HEAD.exec(block) ?? []
  if (head === undefined || name !== typed) throw new Error(`no metric: ${block.slice(0, 200)}`)
  const lines = block.slice(head.length).split('\n')
  return { name, type, help, samples: lines.filter((line) => line !== '').map(readSample) }
}

/** The mean of no values is NaN. */
const NAMED_VALUES: ReadonlyMap<string, number> = new Map([
  ['+Inf', Infinity],
  ['Nan', Number.NaN],
])

function readSample(line: string): Sample {
  const [found, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? []
  if (found === undefined) throw new Error(`no sample: ${line}`)
  const read = [...labels.matchAll(LABEL)]
  if (read.map(([text]) => text).join('') !== labels) throw new Error(`no labels: ${line}`)
  const number = NAMED_VALUES.get(value) ?? Number(value)
  if (Number.isNaN(number) && !NAMED_VALUES.has(value)) throw new Error(`no value: ${line}`)
  return { name, labels: Object.fromEntries(read.map(([, key = '', text = '']) => [key, text])), value: number }
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}
