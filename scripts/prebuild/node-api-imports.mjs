// Writes the assembler file with a jump for every Node-API function, which stands
// in for an import library on Windows. host_windows.c says why.
import { readFileSync } from 'node:fs';

/** Each uses only registers that a call may change before it arrives. */
const jumps = {
  x64: (offset) => ['jmpq *atomic_log_node_api+' + offset + '(%rip)'],
  arm64: (offset) => [
    'adrp x16, atomic_log_node_api',
    'add x16, x16, :lo12:atomic_log_node_api',
    `ldr x16, [x16, #${offset}]`,
    'br x16',
  ],
};

/** The functions that a module definition file (node_api.def) lists. */
function exportsOf(definitions) {
  const [, list] = readFileSync(definitions, 'utf8').split(/^EXPORTS\s*$/m);
  return list.split(/\s+/).filter((name) => name !== '');
}

export function importsFor(architecture, definitions) {
  const names = exportsOf(definitions);
  const jump = jumps[architecture];
  return [
    '.text',
    '.p2align 4',
    ...names.flatMap((name, i) => [`.globl ${name}`, `${name}:`, ...jump(8 * i).map((line) => `  ${line}`)]),
    '.data',
    '.p2align 4',
    '.globl atomic_log_node_api',
    `atomic_log_node_api: .zero ${8 * names.length}`,
    '.globl atomic_log_node_api_names',
    'atomic_log_node_api_names:',
    ...names.map((_, i) => `  .quad .Lname${i}`),
    '  .quad 0',
    ...names.flatMap((name, i) => [`.Lname${i}: .asciz "${name}"`]),
    '',
  ].join('\n');
}
