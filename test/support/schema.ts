/** JSON next to a JSON schema. */
import { readFileSync } from 'node:fs';

import Ajv from 'ajv';

/** What the value has that the schema in the file does not allow. */
export function violations(schema: string, value: unknown): string[] {
  const ajv = new Ajv({ allErrors: true });
  const isValid = ajv.compile(JSON.parse(readFileSync(schema, 'utf8')) as object);
  return isValid(value) === true
    ? []
    : (isValid.errors ?? []).map(({ dataPath, message }) => `${dataPath} ${message}`);
}
