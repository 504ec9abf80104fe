/** What `console.log` shows of the classes that users get. */
interface Text {
  toString(): string;
}

/** Has console.log show what `toString()` says, which is for people. */
export function showAsText(type: { readonly name: string; readonly prototype: Text }): void {
  Object.defineProperty(type.prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: Text): string {
      try {
        return this.toString();
      } catch {
        // A proxy, or an object that only inherits, has no private fields; inspecting must not throw.
        return `${type.name} { seen through another object }`;
      }
    },
  });
}
