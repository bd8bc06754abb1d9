// Tensors travel with the strides they have, and no byte more than their elements.
#include "worker/exchange.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "protocol/wire.h"
#include "store/memory_store.h"

namespace funcpipe {
namespace {

constexpr ObjectName kName{ObjectKind::activation, 0, 0, 3};
const std::string kKey = object_key("job", 7, kName);

class ExchangeTest : public ::testing::Test {
 protected:
  Result<std::vector<at::Tensor>> receive() {
    return exchange_.receive({.kind = OpKind::receive_activation, .object = kName}, 0, 7, {});
  }
  void travels(const std::string& what, const at::Tensor& tensor, std::int64_t elements) {
    SCOPED_TRACE(what);
    ASSERT_TRUE(store_.remove(std::vector{kKey}));
    const at::Tensor other = at::arange(3);
    ASSERT_TRUE(exchange_.send(7, kName, std::vector{tensor, other}));
    const auto received = receive();
    ASSERT_TRUE(received) << describe(received.error());
    ASSERT_EQ(received->size(), 2u);
    EXPECT_EQ((*received)[0].scalar_type(), tensor.scalar_type());
    EXPECT_EQ((*received)[0].sizes(), tensor.sizes());
    EXPECT_EQ((*received)[0].strides(), tensor.strides());
    EXPECT_TRUE((*received)[0].equal(tensor));
    EXPECT_TRUE((*received)[0].is_leaf());
    EXPECT_TRUE((*received)[1].equal(other));
    EXPECT_EQ(std::ssize(object_wires()[0].bytes), elements * static_cast<std::int64_t>(tensor.element_size()));
  }
  std::vector<WireTensor> object_wires() {
    object_ = *store_.get_text(kKey).value();
    return decode_tensors(std::as_bytes(std::span(object_)), kKey).value();
  }

  MemoryStore store_;
  SystemClock clock_;
  Exchange exchange_{store_, clock_, "job", {0, 0}, 5};
  std::string object_;
};

TEST_F(ExchangeTest, TensorsKeepTheirStrides) {
  const at::Tensor image = at::randn({4, 6, 5, 3});
  travels("contiguous", image, 360);
  travels("permuted", image.permute({2, 0, 3, 1}), 360);
  travels("channels last", image.contiguous(at::MemoryFormat::ChannelsLast), 360);
  travels("one channel, channels last", at::randn({4, 1, 5, 3}).as_strided({4, 1, 5, 3}, {15, 1, 3, 1}), 60);
  travels("a slice of a concatenation's gradient", image.narrow(1, 2, 3), 180);
  travels("every other element, transposed", image.slice(3, 0, 3, 2).transpose(0, 1), 240);
  travels("one position", image.select(2, 4), 72);
  travels("a scalar", at::randn({}), 1);
  travels("no elements", at::empty({3, 0, 2}), 0);
  travels("booleans", image.gt(0).transpose(1, 2), 360);
  travels("complex numbers", at::complex(image, image.flip(0)).transpose(1, 3), 360);
  travels("complex numbers of double precision", at::complex(image, image).to(at::kComplexDouble), 360);
}

TEST_F(ExchangeTest, ViewsArriveAsTheNumbersTheyStandFor) {
  const at::Tensor numbers = at::complex(at::arange(6, at::kFloat), at::arange(6, at::kFloat) + 1).reshape({2, 3});
  const at::Tensor conjugated = numbers.conj();
  const at::Tensor negated = at::imag(numbers.conj());
  ASSERT_TRUE(conjugated.is_conj());
  ASSERT_TRUE(negated.is_neg());
  ASSERT_TRUE(exchange_.send(7, kName, std::vector{conjugated, negated}));
  const auto received = receive();
  ASSERT_TRUE(received) << describe(received.error());
  EXPECT_FALSE((*received)[0].is_conj());
  EXPECT_TRUE((*received)[0].equal(conjugated.resolve_conj()));
  EXPECT_TRUE((*received)[1].equal(negated.resolve_neg()));
}

// As the gradients of sums and means are: one element repeated.
TEST_F(ExchangeTest, RepeatedElementsTravelOnce) {
  travels("a scalar everywhere", at::randn({}).expand({4, 1, 3}), 1);
  travels("rows", at::randn({3}).expand({5, 4, 3}), 3);
  travels("columns of a slice", at::randn({4, 8}).narrow(1, 2, 3).unsqueeze(2).expand({4, 3, 6}), 12);
  travels("an expanded nothing", at::empty({1, 0}).expand({4, 0}), 0);
}

TEST_F(ExchangeTest, OverlappingWindowsKeepTheirValues) {
  travels("windows of 3, step 1", at::randn({10}).unfold(0, 3, 1), 24);
}

// docs/formats/tensors.md, the example.
TEST_F(ExchangeTest, TheLayoutIsTheDocumentedOne) {
  const at::Tensor matrix = at::tensor({1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F}).reshape({2, 3});
  ASSERT_TRUE(exchange_.send(7, kName, std::vector{matrix.t().narrow(0, 0, 2), at::zeros({}).expand({4})}));
  const auto wires = object_wires();
  ASSERT_EQ(wires.size(), 3u);
  EXPECT_EQ(wires[0].shape, (std::vector<std::int64_t>{2, 2}));
  const auto* values = reinterpret_cast<const float*>(wires[0].bytes.data());
  EXPECT_EQ(std::vector(values, values + 4), (std::vector{1.0F, 2.0F, 4.0F, 5.0F}));
  EXPECT_EQ(wires[1].shape, std::vector<std::int64_t>{1});
  EXPECT_EQ(wires[2].type, ElementType::int64);
  const auto* numbers = reinterpret_cast<const std::int64_t*>(wires[2].bytes.data());
  EXPECT_EQ(std::vector(numbers, numbers + wires[2].shape[0]), (std::vector<std::int64_t>{1, 2, 3, 0, 2, 1, 0, 4, 0}));
}

TEST_F(ExchangeTest, LayoutsThatContradictTheTensorsAreCorrupt) {
  const std::vector<float> elements(6, 1);
  const std::vector<std::vector<std::int64_t>> wrong = {
      {},                                                                       // missing
      {0, 2, 3, 1, 3},                                                          // short
      {0, 2, 3, 1, 3, 1, 0, 1, 1},                                              // too long
      {0, 2, 3, 0, 3, 1},                                                       // a dimension twice
      {0, 2, 3, 2, 3, 1},                                                       // a dimension that is not there
      {0, 2, 3, 1, 4, 1},                                                       // another size
      {0, 2, 3, 1, 3, 0},                                                       // three elements where one repeats
      {0, 2, -3, 1, 3, 1},                                                      // backwards
      {0, 2, std::int64_t{1} << 41, 1, 3, 1},                                   // beyond any memory
      {0, 2, std::numeric_limits<std::int64_t>::max(), 1, 3, std::int64_t{1}},  // overflow
  };
  for (const auto& numbers : wrong) {
    const std::vector<WireTensor> wires = {
        {ElementType::float32, {2, 3}, std::as_bytes(std::span(elements))},
        {ElementType::int64, {std::ssize(numbers)}, std::as_bytes(std::span(numbers))}};
    ASSERT_TRUE(store_.put(kKey, encode_tensors(wires).pieces));
    const auto received = receive();
    ASSERT_FALSE(received) << ::testing::PrintToString(numbers);
    EXPECT_EQ(received.error().code, ErrorCode::corrupt);
    EXPECT_EQ(received.error().place, kKey);
  }
}

}  // namespace
}  // namespace funcpipe
