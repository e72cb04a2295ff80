import { Type } from '@sinclair/typebox'
import { expect, test } from 'vitest'
import { ref } from '#campaignd/domain/schema.js'

test('a reference to a schema names it by its $id', () => {
  const schema = Type.Object({}, { $id: 'Named' })
  expect(ref(schema, { description: 'here' })).toMatchObject({ $ref: 'Named', description: 'here' })
})

test('a schema without an $id cannot be referred to', () => {
  expect(() => ref(Type.Object({}))).toThrow('$id')
})
