/** Streams and subjects: which names there are, and which streams keep a log. */
import { describe, invalidType, typeError } from '../base/errors';
import type { StreamInfo } from './nats';

function checkText(what: string, value: unknown, isName: (text: string) => boolean, form: string): string {
  if (typeof value !== 'string') throw invalidType(what, 'a string', value);
  if (isName(value)) return value;
  throw typeError('ERR_INVALID_ARG_VALUE', `${what} must be ${form}; got ${describe(value)}`);
}

export function checkStreamName(name: unknown): string {
  const isName = (text: string): boolean => /^[^\s.*>/\\]{1,255}$/.test(text);
  return checkText(
    'options.stream',
    name,
    isName,
    "1 to 255 characters without spaces, '.', '*', '>', '/' and '\\'",
  );
}

/** One to publish to: without wildcards. */
export function checkSubject(subject: unknown): string {
  const isSubject = (text: string): boolean =>
    text.split('.').every((token) => /^\S+$/.test(token) && token !== '*' && token !== '>');
  return checkText(
    'options.subject',
    subject,
    isSubject,
    "words without spaces, '*' or '>', with '.' between them",
  );
}

/** Whether a subject is one that a filter with wildcards names. */
function isNamed(filter: string, subject: string): boolean {
  const tokens = subject.split('.');
  const parts = filter.split('.');
  const rest = parts.indexOf('>');
  const count = rest < 0 ? parts.length : rest;
  if (rest < 0 ? tokens.length !== count : tokens.length <= count) return false;
  return parts.slice(0, count).every((part, i) => part === '*' || part === tokens[i]);
}

export function takes({ subjects = [] }: StreamInfo['config'], subject: string): boolean {
  return subjects.some((filter) => isNamed(filter, subject));
}

/** Why a stream with these settings cannot keep a log; undefined when it can. */
export function unfitFor({ retention = 'limits', no_ack = false }: StreamInfo['config']): string | undefined {
  if (retention !== 'limits')
    return `has retention ${describe(retention)}, which drops messages that no consumer waits for: it takes 'limits'`;
  if (no_ack) return 'has no_ack, so that it never says what it has stored';
  return undefined;
}
