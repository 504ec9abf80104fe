// A log of records with fields of three widths.
import { AtomicLog } from 'atomic-log';

import { SMALL, type Claimed } from './logs';

export interface Trade {
  at: bigint;
  price: number;
  size: number;
}

export const tradeSchema = { at: 'i64', price: 'f64', size: 'u16' } as const;

export function trade(i: number): Trade {
  return { at: BigInt(i) * 10n, price: i + 0.5, size: i };
}

export function tradeLog(count = 0): Claimed<Trade> {
  const claimed = AtomicLog.claimed({ ...SMALL, schema: tradeSchema });
  for (let i = 0; i < count; ++i) claimed.writer.append(trade(i));
  return claimed;
}

export function trades(begin: number, end: number): Trade[] {
  return Array.from({ length: end - begin }, (_, i) => trade(begin + i));
}

export function tradeColumns(
  begin: number,
  end: number,
): { at: BigInt64Array; price: Float64Array; size: Uint16Array } {
  const entries = trades(begin, end);
  return {
    at: BigInt64Array.from(entries, ({ at }) => at),
    price: Float64Array.from(entries, ({ price }) => price),
    size: Uint16Array.from(entries, ({ size }) => size),
  };
}
