// What a stack of layers makes of a picture: shapes, parameters, multiplications, receptive field, as Keras counts.

const conv = (filters, size = 3, padding = "valid") => ({ kind: "conv", filters, size, stride: 1, padding });
const pool = (size) => ({ kind: "pool", size, stride: size, padding: "valid" });
const dense = (units) => ({ kind: "dense", units });
const [flatten, norm, dropout] = ["flatten", "norm", "dropout"].map((kind) => ({ kind }));
const same = (filters, times) => [...Array.from({ length: times }, () => conv(filters, 3, "same")), pool(2)];

/** A new layer of each kind, as the buttons add it. */
export const NEW = { conv: conv(16), pool: pool(2), flatten, dense: dense(10), norm, dropout };

/** The networks of the course's four sources; a picture is [height, width, channels]. */
export const PRESETS = {
  lecture: { input: [28, 28, 1], layers: [conv(28), pool(2), flatten, dense(128), dropout, dense(10)] },
  assignment: { input: [28, 28, 1], layers: [conv(32), pool(2), flatten, dense(100), dense(10)] },
  intel: {
    input: [150, 150, 3],
    layers: [conv(16), conv(32), pool(5), conv(32), conv(64), pool(5), dropout, flatten, dense(64), norm, dropout, dense(6)],
  },
  vgg16: { input: [64, 64, 3], layers: [...same(64, 2), ...same(128, 2), ...same(256, 3), ...same(512, 3), ...same(512, 3)] },
};

export const product = (numbers) => numbers.reduce((all, number) => all * number, 1);
const smaller = (side, { size, stride, padding }) =>
  (padding === "same" ? Math.ceil(side / stride) : Math.floor((side - size) / stride) + 1);

/**
 * The stack layer by layer: { shape, parameters, trained, multiplications, field }, or { fault, ... } from the
 * first layer on that does not fit ("small", "flat", "dense", "flattened", later "before").
 * `field` is how many pixels wide the receptive field of one number is; null means the whole picture.
 */
export function count(input, layers) {
  let shape = input, field = 1, jump = 1, fault = null; // jump: pixels between two neighbours of this layer
  return layers.map((layer) => {
    const result = { parameters: 0, trained: 0, multiplications: 0 };
    fault = fault ? { fault: "before" } : misfit(layer, shape);
    if (fault) return fault;
    const channels = shape.at(-1);
    if (layer.kind === "conv" || layer.kind === "pool") {
      shape = [...shape.slice(0, 2).map((side) => smaller(side, layer)), layer.filters ?? channels];
      field += (layer.size - 1) * jump;
      jump *= layer.stride;
    }
    if (layer.kind === "conv") {
      const weights = layer.size ** 2 * channels; // of one kernel; each is used once in every place
      result.parameters = result.trained = (weights + 1) * layer.filters;
      result.multiplications = weights * product(shape);
    } else if (layer.kind === "dense") {
      result.parameters = result.trained = (channels + 1) * layer.units;
      result.multiplications = channels * layer.units;
      shape = [layer.units];
      field = null;
    } else if (layer.kind === "norm") {
      result.parameters = 4 * channels; // shift and scale are learnt; mean and spread are only kept
      result.trained = 2 * channels;
    } else if (layer.kind === "flatten") {
      shape = [product(shape)];
    }
    return { ...result, shape, field };
  });
}

/** Why a layer cannot read numbers of this shape, or null. */
function misfit(layer, shape) {
  const picture = shape.length === 3;
  if (["conv", "pool"].includes(layer.kind)) {
    if (!picture) return { fault: "flat" };
    if (layer.padding === "valid" && layer.size > Math.min(...shape.slice(0, 2))) return { fault: "small" };
  }
  if (layer.kind === "dense" && picture) return { fault: "dense" };
  if (layer.kind === "flatten" && !picture) return { fault: "flattened" };
  return null;
}

/** Sums over all layers, and the widest receptive field before the picture is flattened. */
export function totals(results) {
  const fitting = results.filter((one) => !one.fault);
  const add = (key) => fitting.reduce((all, one) => all + one[key], 0);
  const fields = fitting.map((one) => one.field ?? 0);
  return {
    parameters: add("parameters"), trained: add("trained"), multiplications: add("multiplications"),
    field: Math.max(1, ...fields), whole: fitting.length === results.length,
  };
}

/** Is this a network for digits that reads 28x28, ends in ten, is small, and sees the whole picture? */
export function challengeSteps(input, layers) {
  const results = count(input, layers), { parameters, field, whole } = totals(results);
  const digits = String(input) === "28,28,1" && whole && String(results.at(-1)?.shape) === "10";
  return { digits, small: parameters < 30000, sees: field >= 28 };
}

/** The stack as code for Keras, without activations. */
export function keras(input, layers) {
  const line = ({ kind, filters, size, stride, padding, units }) => {
    const same = padding === "same" ? ', padding="same"' : "";
    return {
      conv: `Conv2D(${filters}, ${size}${stride > 1 ? `, strides=${stride}` : ""}${same})`,
      pool: `MaxPooling2D(${size}${stride !== size ? `, strides=${stride}` : ""}${same})`,
      flatten: "Flatten()", dense: `Dense(${units})`, norm: "BatchNormalization()", dropout: "Dropout(0.2)",
    }[kind];
  };
  const lines = [`Input((${input.join(", ")}))`, ...layers.map(line)];
  return `keras.Sequential([\n${lines.map((one) => `    layers.${one},\n`).join("")}])`;
}
