"""Which layer computes the gradient of another one's input, or of its weight?

Both have exactly the forward product's multiply-accumulates: no zeros between strided pixels, no border that
is multiplied in vain.
"""

from dataclasses import replace

from mercuric.accelerator.engines.dense_layer import DenseLayer, matrix_products


def input_gradient(layer: DenseLayer) -> DenseLayer:
    """dO, the gradient of the layer's input.

    With stride 1 and an input as large as the output it is a convolution of the output's gradient with the
    kernels turned by 180 degrees (paper II-C, equation 2). Elsewhere such a convolution would multiply zeros:
    there each output pixel's gradient is multiplied by the kernels, a matrix product whose rows are the
    gradients of the input's windows, which are added up where windows overlap.
    """
    if layer.stride != (1, 1) or layer.size != layer.output:
        products, pixels, length, filters = layer.matrices
        return matrix_products(layer.name, products, pixels, filters, length)
    spans = [step * (taps - 1) for step, taps in zip(layer.dilation, layer.kernel, strict=True)]
    above, left = (span - before for span, before in zip(spans, layer.padding, strict=True))
    return replace(layer, channels=layer.filters, filters=layer.channels, padding=(above, left))


def weight_gradient(layer: DenseLayer) -> DenseLayer:
    """dW, the gradient of the layer's weight: a convolution of the input with the output's gradient.

    Input channels are its images, the batch its channels; what was the stride lies between the kernel's
    elements, and what was the dilation between windows.
    """
    channels = layer.channels // layer.groups
    return replace(
        layer, images=channels, channels=layer.groups * layer.images, kernel=layer.output,
        output=layer.kernel, stride=layer.dilation, dilation=layer.stride,
    )  # fmt: skip
