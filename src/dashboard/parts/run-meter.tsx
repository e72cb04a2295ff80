import { orDash, percent } from '../model/format.ts'

interface RunMeterProps {
  readonly expId: string
  /** From 0 to 1; null: its worker tells none. */
  readonly progress: number | null
}

/** How much of a run is done, as its worker says. */
export function RunMeter({ expId, progress }: RunMeterProps) {
  if (progress === null) return <>{orDash(null)}</>
  return (
    <span class="run-meter">
      {percent(progress)}
      <progress max={1} value={progress} aria-label={`Progress of ${expId}`} />
    </span>
  )
}

/** What a worker says of its run. It may be of any script: what directs text in it directs nothing around it. */
export function Note({ text }: { readonly text: string | null }) {
  return text === null || text === '' ? <>{orDash(null)}</> : <bdi title={text}>{text}</bdi>
}
