import { BroadcastBuffer } from './broadcast-buffer.ts'

/** Somebody who gets everything that is published. */
export interface Member {
  /** The position in the buffer up to which everything was delivered. */
  delivered: number
  deliver(pieces: readonly Buffer[]): void
}

/**
 * Frames are delivered in batches, so that many members do not cost a write for each frame. Few members get a frame at once; the
 * delay grows with their number. Within it each group of members has its own moment: writing to all of them in a row would
 * delay the updates that arrive just then.
 */
const DELAY_PER_MEMBER_MS = 0.15
const MAX_DELAY_MS = 180
/** Members that are written to in one turn of the event loop. */
const GROUP_SIZE = 8
/** Groups that are written to in one turn while some are late. */
const MAX_LATE_GROUPS = 4

interface Group {
  readonly members: Set<Member>
  /** As of a member; one that joined later may be ahead. */
  delivered: number
}

/** Delivers what is published to many members, from one buffer, in groups. */
export class Broadcast {
  private readonly groups: Group[] = []
  /** What was published and not yet delivered to every group. */
  private readonly buffer = new BroadcastBuffer()
  private nextGroup = 0
  /** When that group is due: milliseconds of the monotonic clock. */
  private dueAt = 0
  private timer: Disposable | null = null

  /**
   * Adds a member, which has everything that was published before.
   * @returns removes it
   */
  add(member: Member): () => void {
    const group = this.groupWithRoom()
    member.delivered = this.buffer.end
    group.members.add(member)
    return () => this.remove(group, member)
  }

  publish(bytes: Buffer): void {
    if (this.groups.length === 0) return
    this.buffer.append(bytes)
    if (this.timer !== null) return
    this.dueAt = performance.now() + this.step
    this.schedule()
  }

  /** Delivers at once what was published. */
  flush(): void {
    this.timer?.[Symbol.dispose]()
    this.timer = null
    for (const group of [...this.groups]) this.deliver(group)
    this.buffer.discardBefore(this.buffer.end)
  }

  /** Milliseconds between the group before and the next one. */
  private get step(): number {
    const size = this.groups[this.nextGroup]?.members.size ?? 0
    return Math.min(MAX_DELAY_MS / this.groups.length, size * DELAY_PER_MEMBER_MS)
  }

  private schedule(): void {
    const work = () => {
      this.timer = null
      this.deliverToDueGroups()
      if (this.groups.some(({ delivered }) => delivered < this.buffer.end)) this.schedule()
    }
    const milliseconds = this.dueAt - performance.now()
    this.timer = milliseconds < 1 ? setImmediate(work) : setTimeout(work, milliseconds)
  }

  private deliverToDueGroups(): void {
    const now = performance.now()
    for (let count = 0; count < MAX_LATE_GROUPS && (count === 0 || this.dueAt <= now); count += 1) {
      const group = this.groups[this.nextGroup]
      if (group === undefined) break
      // Before the delivery: that may remove members, and with the last of them the group.
      this.nextGroup = (this.nextGroup + 1) % this.groups.length
      this.deliver(group)
      this.dueAt = Math.max(this.dueAt, now - MAX_DELAY_MS) + this.step
    }
    this.buffer.discardBefore(Math.min(...this.groups.map(({ delivered }) => delivered)))
  }

  private deliver(group: Group): void {
    const { end } = this.buffer
    if (group.delivered === end) return
    const pieces = this.buffer.from(group.delivered)
    for (const member of group.members) {
      const missing = member.delivered <= group.delivered ? pieces : this.buffer.from(member.delivered)
      member.delivered = end
      member.deliver(missing)
    }
    group.delivered = end
  }

  private groupWithRoom(): Group {
    const found = this.groups.find(({ members }) => members.size < GROUP_SIZE)
    if (found !== undefined) return found
    const group = { members: new Set<Member>(), delivered: this.buffer.end }
    this.groups.push(group)
    return group
  }

  private remove(group: Group, member: Member): void {
    if (!group.members.delete(member) || group.members.size > 0) return
    const at = this.groups.indexOf(group)
    this.groups.splice(at, 1)
    if (at < this.nextGroup) this.nextGroup -= 1
    if (this.nextGroup >= this.groups.length) this.nextGroup = 0
  }
}
