import { readTheme, type Theme } from './theme.ts'

/** One drawing: a window of `width` by `height` on contents that are scrolled by `left` and `top`. */
export interface Frame {
  readonly context: CanvasRenderingContext2D
  readonly theme: Theme
  readonly width: number
  readonly height: number
  readonly left: number
  readonly top: number
  /** Device pixels for one CSS pixel. */
  readonly ratio: number
}

/**
 * A canvas of the size of its box that stays in place while contents of any size are scrolled: only what is visible is
 * drawn, however much there is.
 */
export class ScrolledCanvas {
  readonly canvas = document.createElement('canvas')
  private readonly sizer = document.createElement('div')
  private readonly context: CanvasRenderingContext2D
  private readonly resizing: ResizeObserver
  private readonly scheme = matchMedia('(prefers-color-scheme: dark)')
  private theme: Theme
  private request = 0
  private size = { width: 0, height: 0, ratio: 1 }

  constructor(
    private readonly host: HTMLElement,
    private readonly draw: (frame: Frame) => void,
    private readonly onResize: (width: number) => void,
  ) {
    const context = this.canvas.getContext('2d')
    if (context === null) throw new Error('this browser has no canvas')
    this.context = context
    this.canvas.className = 'scrolled-canvas'
    this.canvas.setAttribute('aria-hidden', 'true')
    this.sizer.className = 'canvas-sizer'
    this.sizer.append(this.canvas)
    host.append(this.sizer)
    this.theme = readTheme(host)
    host.addEventListener('scroll', this.invalidate, { passive: true })
    this.scheme.addEventListener('change', this.retheme)
    this.resizing = new ResizeObserver(() => this.fit())
    this.resizing.observe(host)
  }

  /** Sets the size of the contents. */
  setContents(width: number, height: number): void {
    this.sizer.style.width = `${width}px`
    this.sizer.style.height = `${height}px`
    this.fit()
  }

  /** Draws once before the browser paints next, however often it is called. */
  readonly invalidate = (): void => {
    if (this.request === 0) this.request = requestAnimationFrame(this.paint)
  }

  /** Where a mouse event is, in the box. */
  at(event: MouseEvent): { readonly x: number; readonly y: number } {
    const box = this.host.getBoundingClientRect()
    return { x: event.clientX - box.left - this.host.clientLeft, y: event.clientY - box.top - this.host.clientTop }
  }

  dispose(): void {
    cancelAnimationFrame(this.request)
    this.resizing.disconnect()
    this.scheme.removeEventListener('change', this.retheme)
    this.host.removeEventListener('scroll', this.invalidate)
    this.sizer.remove()
  }

  private readonly retheme = (): void => {
    this.theme = readTheme(this.host)
    this.invalidate()
  }

  private fit(): void {
    const { clientWidth: width, clientHeight: height } = this.host
    const ratio = devicePixelRatio
    const { width: before } = this.size
    if (width !== before || height !== this.size.height || ratio !== this.size.ratio) {
      this.size = { width, height, ratio }
      this.canvas.width = Math.round(width * ratio)
      this.canvas.height = Math.round(height * ratio)
      this.canvas.style.width = `${width}px`
      this.canvas.style.height = `${height}px`
      // At once: a canvas of a new size is empty.
      this.paint()
    } else this.invalidate()
    if (width !== before) this.onResize(width)
  }

  private readonly paint = (): void => {
    cancelAnimationFrame(this.request)
    this.request = 0
    const { width, height, ratio } = this.size
    if (width === 0 || height === 0) return
    const { context, theme, host } = this
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, height)
    this.draw({ context, theme, width, height, ratio, left: host.scrollLeft, top: host.scrollTop })
  }
}
