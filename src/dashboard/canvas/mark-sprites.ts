import { type Mark, MARKS, OUTLINE, SHAPES } from '../model/mark.ts'

/** Each mark is drawn once and then copied: a path for each square of a large campaign would be slow. */
export class MarkSprites {
  private sprites = new Map<Mark, HTMLCanvasElement>()
  private key = ''

  /** Draws the marks of a size and outline, unless they are there. */
  prepare(size: number, ratio: number, outline: string): void {
    const key = `${size} ${ratio} ${outline}`
    if (key === this.key) return
    this.key = key
    this.sprites = new Map(MARKS.map((mark) => [mark, spriteOf(mark, size * ratio, outline)]))
  }

  draw(context: CanvasRenderingContext2D, mark: Mark, x: number, y: number, size: number): void {
    const sprite = this.sprites.get(mark)
    if (sprite !== undefined) context.drawImage(sprite, x, y, size, size)
  }
}

function spriteOf(mark: Mark, pixels: number, outline: string): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = Math.round(pixels)
  const context = canvas.getContext('2d')
  if (context === null) return canvas
  const { colour, area, ink, inkColour } = SHAPES[mark]
  context.scale(canvas.width / 16, canvas.height / 16)
  context.fillStyle = colour
  context.fill(new Path2D(area), 'evenodd')
  if (ink !== '') {
    context.strokeStyle = inkColour
    context.lineWidth = 2
    context.lineCap = 'round'
    context.stroke(new Path2D(ink))
  }
  context.strokeStyle = outline
  context.lineWidth = 1
  context.stroke(new Path2D(OUTLINE))
  return canvas
}
