// Regression by a Gaussian process with a Matern-5/2 kernel (Rasmussen and Williams, "Gaussian Processes for Machine
// Learning", 2006, chapters 2 and 4), and the expected improvement on the least value seen.
#pragma once

#include <Eigen/Dense>

namespace funcpipe {

class GaussianProcess {
 public:
  // Fits the process to `values` at `points`, which has one point per row. Of a few length scales it takes the one with
  // the largest likelihood.
  GaussianProcess(Eigen::MatrixXd points, const Eigen::VectorXd& values);

  // Returns the mean of max(0, least value - value at `point`) by the fitted process.
  double expected_improvement(const Eigen::VectorXd& point) const;

 private:
  Eigen::MatrixXd points_;
  double mean_ = 0, scale_ = 1, least_ = 0;  // Values are shifted and scaled to mean 0 and standard deviation 1.
  double length_ = 1;
  Eigen::LLT<Eigen::MatrixXd> factor_;
  Eigen::VectorXd weights_;
};

}  // namespace funcpipe
