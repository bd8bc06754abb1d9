#include "planner/rivals/gaussian_process.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace funcpipe {
namespace {

constexpr double kNoise = 1e-4;  // Variance of the noise in the scaled values.
constexpr double kLengths[] = {0.25, 0.5, 1, 2, 4, 8};

double matern(double distance, double length) {
  const double r = std::sqrt(5.0) * distance / length;
  return (1 + r + r * r / 3) * std::exp(-r);
}

}  // namespace

GaussianProcess::GaussianProcess(Eigen::MatrixXd points, const Eigen::VectorXd& values) : points_(std::move(points)) {
  const Eigen::Index count = values.size();
  mean_ = values.mean();
  const double deviation = std::sqrt((values.array() - mean_).square().mean());
  if (deviation > 0) scale_ = deviation;
  const Eigen::VectorXd scaled = (values.array() - mean_) / scale_;
  least_ = scaled.minCoeff();

  Eigen::MatrixXd distances(count, count);
  for (Eigen::Index i = 0; i < count; ++i)
    for (Eigen::Index j = 0; j < count; ++j) distances(i, j) = (points_.row(i) - points_.row(j)).norm();
  double best = -std::numeric_limits<double>::infinity();
  for (const double length : kLengths) {
    Eigen::MatrixXd covariance = distances.unaryExpr([&](double distance) { return matern(distance, length); });
    covariance.diagonal().array() += kNoise;
    Eigen::LLT<Eigen::MatrixXd> factor(covariance);
    if (factor.info() != Eigen::Success) continue;
    Eigen::VectorXd weights = factor.solve(scaled);
    const double likelihood = -0.5 * scaled.dot(weights) - factor.matrixLLT().diagonal().array().log().sum();
    if (likelihood <= best) continue;
    best = likelihood;
    length_ = length;
    factor_ = std::move(factor);
    weights_ = std::move(weights);
  }
}

double GaussianProcess::expected_improvement(const Eigen::VectorXd& point) const {
  Eigen::VectorXd near(points_.rows());
  for (Eigen::Index i = 0; i < points_.rows(); ++i)
    near(i) = matern((points_.row(i).transpose() - point).norm(), length_);
  const double expected = near.dot(weights_);
  const double variance = 1 + kNoise - factor_.matrixL().solve(near).squaredNorm();
  const double deviation = std::sqrt(std::max(variance, 1e-12));
  const double z = (least_ - expected) / deviation;
  const double density = std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi);
  const double below = 0.5 * std::erfc(-z / std::numbers::sqrt2);
  return scale_ * deviation * (z * below + density);
}

}  // namespace funcpipe
