/** JSON with a line for each entry of a list: what a run changes is what a diff shows. */
export function textOf({ runs, faults, crashes, kills, mutants, model }) {
  const list = (entries) => `[\n${entries.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n')}\n  ]`;
  const named = Object.entries(runs).map(
    ([name, run]) => `    ${JSON.stringify(name)}: ${JSON.stringify(run)}`,
  );
  const parts = [
    '"$schema": "./evidence.schema.json"',
    `"runs": {\n${named.join(',\n')}\n  }`,
    ...(faults === undefined
      ? []
      : [
          `"faults": {\n    "run": "${faults.run}",\n    "disks": ${faults.disks},\n    "cases": ${list(faults.cases)}\n  }`,
        ]),
    `"crashes": ${list(crashes)}`,
    `"kills": ${list(kills)}`,
    `"mutants": ${list(mutants)}`,
    `"model": ${list(model)}`,
  ];
  return `{\n  ${parts.join(',\n  ')}\n}\n`;
}
