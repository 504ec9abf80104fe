// What decoders make of bytes that lie in a log: each case encodes a value with
// binary content, and says what that content lies in once it is decoded again.
const { join } = require('node:path');
const { createRequire } = require('node:module');
const { pathToFileURL } = require('node:url');
const v8 = require('node:v8');

/** What is not part of a runtime: the folder that it is installed in is the process' last argument. */
const installed = () => createRequire(join(process.argv.at(-1), 'package.json'));
const packages = (name) => installed()(name);
const imported = (name) => import(pathToFileURL(installed().resolve(name)).href);

const CONTENT = Uint8Array.from({ length: 24 }, (_, i) => i + 1);
const bytesOf = (view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
const asBuffer = (decode) => (view) => decode(bytesOf(view));

function protobufjs() {
  const { Field, Root, Type } = packages('protobufjs');
  const type = new Type('Message').add(new Field('content', 1, 'bytes'));
  new Root().define('example').add(type);
  return {
    bytes: type.encode({ content: CONTENT }).finish(),
    decode: (view) => type.decode(view).content,
  };
}

function bufbuild() {
  const { create, fromBinary, toBinary } = packages('@bufbuild/protobuf');
  const { BytesValueSchema: schema } = packages('@bufbuild/protobuf/wkt');
  return {
    bytes: toBinary(schema, create(schema, { value: CONTENT })),
    decode: (view) => fromBinary(schema, view).value,
  };
}

function googleProtobuf() {
  const { BytesValue } = packages('google-protobuf/google/protobuf/wrappers_pb.js');
  const message = new BytesValue();
  message.setValue(CONTENT);
  return {
    bytes: message.serializeBinary(),
    decode: (view) => BytesValue.deserializeBinary(view).getValue_asU8(),
  };
}

function avsc() {
  const type = packages('avsc').Type.forSchema('bytes');
  return {
    bytes: type.toBuffer(Buffer.from(CONTENT)),
    decode: asBuffer((buffer) => type.fromBuffer(buffer)),
  };
}

function bson() {
  const { Binary, deserialize, serialize } = packages('bson');
  return {
    bytes: serialize({ content: new Binary(CONTENT) }),
    decode: (view) => deserialize(view).content.buffer,
  };
}

function flatbuffers() {
  const { Builder, ByteBuffer } = packages('flatbuffers');
  const builder = new Builder();
  const vector = builder.createByteVector(CONTENT);
  builder.startObject(1);
  builder.addFieldOffset(0, vector, 0);
  builder.finish(builder.endObject());
  const decode = (view) => {
    const buffer = new ByteBuffer(view);
    const table = buffer.readInt32(buffer.position()) + buffer.position();
    const field = table + buffer.__offset(table, 4);
    const { buffer: memory, byteOffset } = buffer.bytes();
    return new Uint8Array(memory, byteOffset + buffer.__vector(field), buffer.__vector_len(field));
  };
  return { bytes: builder.asUint8Array(), decode };
}

/** A column of bytes, long enough to be stored as it is. */
function arrow() {
  const { tableFromArrays, tableFromIPC, tableToIPC } = packages('apache-arrow');
  const content = Uint8Array.from({ length: 64 }, (_, i) => i + 1);
  return {
    content,
    bytes: tableToIPC(tableFromArrays({ content })),
    decode: (view) => tableFromIPC(view).getChild('content').data[0].values,
  };
}

/** Numbers whose bytes come `shift` bytes after a multiple of 8: a text before them is as long as that takes. */
function floats(shift) {
  const content = Float64Array.of(1, 2.5, 3);
  for (let text = ''; text.length < 16; text += 'x') {
    const bytes = v8.serialize([text, content]);
    if (bytes.indexOf(bytesOf(content)) % 8 === shift)
      return { content, bytes, decode: (view) => v8.deserialize(bytesOf(view))[1] };
  }
  throw new Error(`no text puts the numbers at ${shift}`);
}

/** A package with one function for each direction. Some take only a Buffer for bytes, which all take. */
const pair = (peer, encode, decode) => ({
  peer,
  name: `${peer}: \`${decode}\``,
  make: () => ({
    bytes: packages(peer)[encode]([Buffer.from(CONTENT)]),
    decode: (view) => packages(peer)[decode](view)[0],
  }),
});

/** `decode` gives the binary content of what was encoded as `bytes`; `content` is what it is, CONTENT if missing.
 * With `peer`: what is not part of the runtime. */
const all = [
  {
    name: '`v8.deserialize`: a `Uint8Array`',
    make: () => ({ bytes: v8.serialize([CONTENT]), decode: (view) => v8.deserialize(bytesOf(view))[0] }),
  },
  {
    name: '`v8.deserialize`: a `Float64Array`, at a multiple of 8',
    make: () => floats(0),
  },
  { name: '… elsewhere', make: () => floats(1) },
  pair('msgpackr', 'pack', 'unpack'),
  pair('@msgpack/msgpack', 'encode', 'decode'),
  pair('cbor-x', 'encode', 'decode'),
  {
    peer: 'cbor2',
    name: 'cbor2: `decode`',
    make: async () => {
      const { decode, encode } = await imported('cbor2');
      return { bytes: encode([CONTENT]), decode: (view) => decode(view)[0] };
    },
  },
  { peer: 'protobufjs', name: 'protobufjs: `decode`', make: protobufjs },
  { peer: '@bufbuild/protobuf', name: '@bufbuild/protobuf: `fromBinary`', make: bufbuild },
  { peer: 'google-protobuf', name: 'google-protobuf: `deserializeBinary`', make: googleProtobuf },
  { peer: 'bson', name: 'bson: `deserialize`', make: bson },
  { peer: 'flatbuffers', name: 'flatbuffers: a vector of bytes', make: flatbuffers },
  { peer: 'apache-arrow', name: 'apache-arrow: `tableFromIPC`', make: arrow },
  { peer: 'avsc', name: 'avsc: `fromBuffer`', make: avsc },
];

module.exports = { all, bytesOf, CONTENT };
