interface Text {
  toString(): string;
}

/** Has console.log show what `toString()` says, which is for people. */
export function showAsText(type: { readonly prototype: Text }): void {
  Object.defineProperty(type.prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: Text): string {
      return this.toString();
    },
  });
}
