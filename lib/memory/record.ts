/** Reading records that users give. */
import { describe, invalidType, typeError, type AtomicLogError } from '../base/errors';
import { accepts, refusal, type Kind } from '../base/scalar';

/** Reads the value of every field into `values`; each was accepted then. Runs user code: getters and proxies. */
export function readRecord(
  fields: readonly string[],
  kinds: readonly Kind[],
  record: unknown,
  values: unknown[],
): void {
  if (record === null || typeof record !== 'object') {
    throw invalidType('the record', `an object with the fields ${fields.join(', ')}`, record);
  }
  const keys = Object.keys(record);
  for (let i = 0; i < keys.length; ++i) {
    if (keys[i] !== fields[i] && !fields.includes(keys[i]!)) throw unknownField(keys[i]!, fields);
  }
  for (let i = 0; i < fields.length; ++i) {
    const value = (record as Record<string, unknown>)[fields[i]!];
    if (!accepts(kinds[i]!, value)) throw refusedField(kinds[i]!, fields[i]!, value, record);
    values[i] = value;
  }
}

export function unknownField(name: unknown, fields: readonly string[]): AtomicLogError {
  const names = fields.join(', ');
  return typeError(
    'ERR_UNKNOWN_FIELD',
    typeof name === 'string'
      ? `the log has no field ${describe(name)}; it has ${names}`
      : `the name of a field comes first, one of ${names}; got ${describe(name)}`,
  );
}

export function missingField(name: string): AtomicLogError {
  return typeError(
    'ERR_MISSING_FIELD',
    `the field ${describe(name)} is missing; every field of the schema needs a value`,
  );
}

export function refusedField(kind: Kind, name: string, value: unknown, record: object): AtomicLogError {
  return value === undefined && !Object.hasOwn(record, name)
    ? missingField(name)
    : refusal(kind, `the field ${name}`, value);
}
