import { type TSchema, Type } from '@sinclair/typebox'

export const LastEventId = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      maxLength: 128,
      description: 'The id of the last event that you have: go on behind it. Browsers send it by themselves',
      examples: ['5f0c1e9a7b3d2468-27'],
    }),
  ),
})

/** A stream of texts; what each says as its data is one of these. */
export function eventStream(...data: readonly TSchema[]) {
  return { schema: Type.Unsafe<string>({ anyOf: data }), type: 'text/event-stream' }
}
