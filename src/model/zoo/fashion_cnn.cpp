// A small convolutional network for 28 x 28 grey images (Fashion-MNIST): three convolutions with BatchNorm, of which
// two are followed by pooling, and two linear layers. It takes raw bytes and normalises them itself.
#include <fmt/format.h>

#include "model/zoo/families.h"

namespace funcpipe::zoo {

ZooModel fashion_cnn(const Options& options, Initialiser& init) {
  const int width = options.integer("width");
  const int classes = options.integer("classes");
  Module model = make_module("FashionCNN");
  const auto block = [&](int in, int out) {
    return sequential(init, {{"conv", convolution(init, Convolution::square(in, out, 3, 1, 1))},
                             {"bn", batch_norm(init, out)},
                             {"relu", relu(init)}});
  };
  model.register_module("conv1", block(1, width));
  model.register_module("conv2", block(width, 2 * width));
  model.register_module("conv3", block(2 * width, 2 * width));
  model.register_module("fc1", linear(init, 2 * width * 7 * 7, 128));
  model.register_module("fc2", linear(init, 128, classes));
  // In TorchScript 6 is the code of float32. The other two numbers are mean and deviation of the training images'
  // pixels.
  define_forward(init, model, "images",
                 "  x = (images.to(6) / 255.0 - 0.2860) / 0.3530\n"
                 "  x = torch.max_pool2d(self.conv1.forward(x), [2, 2])\n"
                 "  x = self.conv2.forward(x)\n"
                 "  x = torch.max_pool2d(self.conv3.forward(x), [2, 2])\n"
                 "  x = torch.relu(self.fc1.forward(torch.flatten(x, 1)))\n"
                 "  return self.fc2.forward(x)");
  return {model, {{"uint8", {1, 1, 28, 28}, false}}};
}

}  // namespace funcpipe::zoo
