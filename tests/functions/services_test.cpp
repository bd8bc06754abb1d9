// The service that needs no server, against the suite every service must pass.
#include "functions/memory_service.h"
#include "functions/service_conformance.h"

namespace funcpipe {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, ServiceConformance,
                         testing::Values(ServiceKind{
                             "memory", [] {
                               return ServiceUnderTest{nullptr, std::make_unique<MemoryService>(conformance_function)};
                             }}));

TEST(MemoryService, AFunctionMayStartOthersEvenAtTheEnd) {
  std::atomic<int> ran = 0;
  MemoryService* itself = nullptr;
  {
    MemoryService service([&](const MemoryCall& call) -> Result<std::string> {
      ++ran;
      if (call.payload == "0") return "last";
      return to_string(itself->invoke_async("f", std::to_string(std::stoi(call.payload) - 1)).has_value()
                           ? ErrorCode::failed
                           : ErrorCode::not_found)
          .data();
    });
    itself = &service;
    FunctionSpec spec;
    spec.name = "f";
    ASSERT_TRUE(service.create(spec).has_value());
    ASSERT_TRUE(service.invoke("f", "5").has_value());
  }
  EXPECT_GE(ran, 1);
  EXPECT_LE(ran, 6);
}

}  // namespace
}  // namespace funcpipe
