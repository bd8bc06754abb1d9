#include "catalog/bill.h"

#include <nlohmann/json.hpp>

#include "catalog/bill_file.h"

namespace funcpipe {

Usage& Usage::operator+=(const Usage& other) {
  invocations += other.invocations;
  gb_seconds += other.gb_seconds;
  vcpu_seconds += other.vcpu_seconds;
  put += other.put;
  get += other.get;
  list += other.list;
  remove += other.remove;
  uploaded += other.uploaded;
  downloaded += other.downloaded;
  rent += other.rent;
  return *this;
}

void Usage::add_invocation(int memory_mb, double vcpus, Seconds billed_seconds) {
  ++invocations;
  gb_seconds += memory_mb / 1024.0 * billed_seconds;
  vcpu_seconds += vcpus * billed_seconds;
}

Dollars Usage::compute_dollars(const Prices& prices) const {
  return gb_seconds * prices.gb_second + vcpu_seconds * prices.vcpu_second +
         static_cast<double>(invocations) * prices.invocation + rent;
}

Dollars Usage::request_dollars(const Prices& prices) const {
  return static_cast<double>(put + list) * prices.put + static_cast<double>(get) * prices.get;
}

Usage Bill::total() const {
  Usage sum;
  for (const auto& [name, usage] : by_function) sum += usage;
  return sum;
}

nlohmann::json to_json(const Bill& bill, const Prices& prices) {
  const auto row = [&](const Usage& usage) {
    nlohmann::json figures{{"invocations", usage.invocations},
                           {"gb_seconds", usage.gb_seconds},
                           {"vcpu_seconds", usage.vcpu_seconds},
                           {"put", usage.put},
                           {"get", usage.get},
                           {"list", usage.list},
                           {"delete", usage.remove},
                           {"uploaded_bytes", usage.uploaded},
                           {"downloaded_bytes", usage.downloaded},
                           {"compute_dollars", usage.compute_dollars(prices)},
                           {"request_dollars", usage.request_dollars(prices)},
                           {"dollars", usage.dollars(prices)}};
    if (usage.rent > 0) figures["rent_dollars"] = usage.rent;
    return figures;
  };
  nlohmann::json functions = nlohmann::json::object();
  for (const auto& [name, usage] : bill.by_function) functions[name] = row(usage);
  return {{"version", kBillVersion}, {"by_function", functions}, {"total", row(bill.total())}};
}

}  // namespace funcpipe
