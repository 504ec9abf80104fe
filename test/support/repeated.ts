/**
 * Whether the suite runs once more, against another addon or with other settings:
 * what repeats itself at random does so less often then.
 */
export const isRepeated = Object.keys(process.env).some((name) => name.startsWith('ATOMIC_LOG_'));
