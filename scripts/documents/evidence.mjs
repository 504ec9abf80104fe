// The tables of docs/evidence.md, written from test/evidence/evidence.json between
// `<!-- evidence: NAME -->` and `<!-- /evidence -->`.

const count = (number) => number.toLocaleString('en');
const cell = (text) => String(text).replaceAll('|', '\\|');

function table(head, rows) {
  const lines = [head, head.map(() => '-'), ...rows.map((row) => row.map(cell))];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const isRun = ({ run }) => run !== undefined;
const isSeen = ({ seen }) => seen !== undefined && seen !== null;

/** The date and the commit of the runs. */
function runsOf(entries, { runs }) {
  const names = [...new Set(entries.filter(isRun).map(({ run }) => run))];
  return names.map((name) => `${runs[name].date} (${runs[name].commit})`).join(', ') || 'not run yet';
}

/** The commit whose verdict it is. */
const commitOf = ({ run }, { runs }) => (run === undefined ? '' : runs[run].commit);

const sum = (entries, key) => entries.reduce((all, entry) => all + entry[key], 0);

/** The promises of docs/durability.md, with the first sentence of each. */
export function promisesOf(durability) {
  return [...durability.matchAll(/^\| (G\d+) +\| (.*?) +\|/gm)].map(([, id, text]) => ({ id, text }));
}

function promises(evidence, { durability }) {
  const rows = promisesOf(durability).map(({ id, text }) => {
    const own = evidence.mutants.filter(({ promise }) => promise === id);
    const run = own.filter(isRun);
    const tests = new Set(run.filter(isSeen).map(({ seen }) => seen));
    const caught = `${run.filter(isSeen).length} of ${run.length}`;
    if (own.length === 0) return [id, text, '', '', '', ''];
    return [id, text, own.length, caught, tests.size, runsOf(own, evidence)];
  });
  return table(['#', 'promise', 'mutants', 'noticed, of those run', 'by so many tests', 'last run'], rows);
}

function totals(evidence) {
  const { crashes, kills, faults, mutants, model } = evidence;
  const noticed = (list) => `${count(list.filter(isSeen).length)} of ${count(list.filter(isRun).length)}`;
  const mustBeNoticed = model.filter(({ expected }) => expected === 'caught');
  const others = model.filter((one) => isRun(one) && !mustBeNoticed.includes(one));
  const rows = [
    [
      'simulated disks opened after a loss of power',
      count(sum(crashes, 'states')),
      runsOf(crashes, evidence),
    ],
    ['processes killed on a real disk', count(sum(kills, 'kills')), runsOf(kills, evidence)],
    ['entries compared after a kill', count(sum(kills, 'entriesCompared')), runsOf(kills, evidence)],
    ...(faults === undefined
      ? []
      : [
          ['failures of the file system', count(sum(faults.cases, 'count')), runsOf([faults], evidence)],
          ['disks opened after those', count(faults.disks), runsOf([faults], evidence)],
        ]),
    [
      'mutants noticed',
      `${noticed(mutants)} that were run; there are ${count(mutants.length)}`,
      runsOf(mutants, evidence),
    ],
    [
      'weakened orders and steps noticed',
      `${noticed(mustBeNoticed)} that were run and must be; there are ${count(mustBeNoticed.length)}`,
      runsOf(mustBeNoticed, evidence),
    ],
    [
      'weakened orders and steps that do no harm, or cannot be seen',
      `${count(others.length)} that were run, each with its reason below; there are ${count(model.length - mustBeNoticed.length)}`,
      runsOf(others, evidence),
    ],
  ];
  return table(['what', 'how many', 'last run'], rows);
}

const RESULTS = ['done', 'refused', 'not opened', 'poisoned'];

const faultsOf = (log) => (evidence, names) => faults(evidence, names, log);

/** What becomes of a call of the log, for each error; the errors that most others are like stand first. */
function faults({ faults: found }, { errorNames }, log) {
  const cases = found?.cases.filter((one) => one.log === log) ?? [];
  if (cases.length === 0) return 'Not run yet.';
  const rows = new Map();
  for (const { operation, call, error, result } of cases) {
    const key = `${operation}\n${call}`;
    if (!rows.has(key)) rows.set(key, new Map());
    const errors = rows.get(key);
    errors.set(error, [...(errors.get(error) ?? []), result]);
  }
  const text = (results) => RESULTS.filter((result) => results.includes(result)).join(' or ');
  return table(
    ['operation', 'in', 'with most errors', 'with these'],
    [...rows].map(([key, errors]) => {
      const groups = new Map();
      for (const [error, results] of errors) {
        groups.set(text(results), [...(groups.get(text(results)) ?? []), errorNames[error]]);
      }
      const [[most], ...others] = [...groups].sort(([, a], [, b]) => b.length - a.length);
      const rest = others.map(([result, names]) => `${names.join(', ')}: ${result}`).join('; ');
      return [...key.split('\n'), most, rest];
    }),
  );
}

function model(evidence) {
  const verdict = ({ expected, seen, run, note }) => {
    if (run === undefined) return 'not run yet';
    if (seen !== null) return seen;
    return expected === 'caught' ? '**not caught**' : `${expected}: ${note ?? ''}`;
  };
  return table(
    ['weakened', 'what was seen', 'at commit'],
    evidence.model.map((one) => [one.name, verdict(one), commitOf(one, evidence)]),
  );
}

function mutants(evidence) {
  const verdict = ({ seen, run }) => (run === undefined ? 'not run yet' : (seen ?? '**not noticed**'));
  const number = ({ promise }) => Number(promise.slice(1));
  const sorted = [...evidence.mutants].sort((a, b) => number(a) - number(b));
  return table(
    ['#', 'log', 'left out', 'the test that notices', 'at commit'],
    sorted.map((one) => [one.promise, one.log, one.name, verdict(one), commitOf(one, evidence)]),
  );
}

/** The end of each bar in milliseconds, of the last run. */
function syncs({ kills, runs }) {
  const last = kills.at(-1);
  if (last?.syncs === undefined) return 'Not run yet.';
  const { syncs: times, run } = last;
  const rows = times.histogram.map(({ upToMs, count: bar }) => [`${upToMs} ms`, count(bar)]);
  const text = `Of ${count(times.count)}: median ${times.medianMs} ms, longest ${times.maxMs} ms; on ${runs[run].disk.replace(/ \(.*/, '')}.`;
  return `${table(['up to', 'syncs'], rows)}\n\n${text}`;
}

const conditions = ({ runs }) =>
  table(
    ['run', 'date', 'commit', 'machine', 'system', 'disk', 'runtime', 'compiler'],
    Object.entries(runs).map(([name, { date, commit, machine, system, disk, runtime, compiler }]) => [
      ...[name, date, commit, machine, system],
      ...[disk.replace(/ \(.*/, ''), runtime, compiler],
    ]),
  );

const blocks = {
  totals,
  promises,
  faults: faultsOf('wal'),
  segmentFaults: faultsOf('segment'),
  model,
  mutants,
  syncs,
  conditions,
};

const MARKED = /(<!-- evidence: (\w+) -->\n)[^]*?(<!-- \/evidence -->)/g;

/**
 * The text with every marked part as the evidence is now.
 *
 * @param {{ durability: string, errorNames: Record<number, string> }} names from elsewhere
 */
export function withEvidence(text, evidence, names) {
  return text.replace(MARKED, (_, before, name, after) => {
    if (!Object.hasOwn(blocks, name)) throw new Error(`no evidence is called '${name}'`);
    return `${before}\n${blocks[name](evidence, names)}\n\n${after}`;
  });
}

const WORDS = {
  NotFound: 'not found',
  Exists: 'exists already',
  Denied: 'denied',
  NotAFile: 'not a file',
  NoSpace: 'no space',
  Locked: 'locked',
  Unsupported: 'unsupported',
  NoDescriptor: 'no descriptor',
  Failed: 'any other',
  NoMemory: 'no memory',
};

/** Words for the numbers of core/platform/io_status.h; kOk and kNoThread are none of files. */
export function errorNamesOf(header) {
  const [list] = /enum class IoCode[^]*?\};/.exec(header);
  const codes = [...list.matchAll(/^ {2}k(\w+) = (\d+),/gm)].filter(
    ([, name]) => !['Ok', 'NoThread'].includes(name),
  );
  return Object.fromEntries(
    codes.map(([, name, number]) => {
      if (!Object.hasOwn(WORDS, name))
        throw new Error(`scripts/documents/evidence.mjs has no words for k${name}`);
      return [number, WORDS[name]];
    }),
  );
}
